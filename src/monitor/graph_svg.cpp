#include "monitor/graph_svg.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>

namespace msgbus::monitoring {

namespace {

constexpr int node_width = 200;
constexpr int node_height = 44;
constexpr int column_gap = 90;
constexpr int row_gap = 18;
constexpr int margin = 20;
constexpr std::size_t longest_name = 26;  // in bytes

/// Names as text of XML, which has no control characters.
std::string xml(std::string_view name) {
  std::string made;
  for (const char c : msgbus::detail::escaped(name)) {
    switch (c) {
      case '&': made += "&amp;"; break;
      case '<': made += "&lt;"; break;
      case '>': made += "&gt;"; break;
      case '"': made += "&quot;"; break;
      default: made += c;
    }
  }
  return made;
}

std::string xml_shortened(std::string_view name) {
  return xml(msgbus::detail::shortened(name, longest_name));
}

struct node_place {
  std::size_t column = 0;
  double order = 0;  // among those of its column
  int x = 0, y = 0;
};

struct edge_ends {
  std::size_t from, to;
};

/// The longest way to each node. What closes a circle does not count: no way has more edges than
/// there are nodes, so after so many rounds the rest is one.
std::vector<node_place> columns_of(std::size_t nodes, const std::vector<edge_ends>& edges) {
  std::vector<node_place> places(nodes);
  const std::size_t most = std::min<std::size_t>(nodes, 12);
  for (std::size_t round = 0; round < most; ++round) {
    bool changed = false;
    for (const edge_ends& each : edges) {
      const std::size_t wanted = std::min(places[each.from].column + 1, most - 1);
      if (each.from == each.to || places[each.to].column >= wanted) continue;
      places[each.to].column = wanted;
      changed = true;
    }
    if (!changed) break;
  }
  return places;
}

/// Each node moves to the middle of those that send to it.
void order_rows(std::vector<node_place>& places, const std::vector<edge_ends>& edges) {
  for (std::size_t i = 0; i < places.size(); ++i) places[i].order = static_cast<double>(i);
  for (int round = 0; round < 4; ++round) {
    std::vector<double> sums(places.size());
    std::vector<std::size_t> many(places.size());
    for (const edge_ends& each : edges) {
      sums[each.to] += places[each.from].order;
      ++many[each.to];
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (many[i] != 0) places[i].order = sums[i] / static_cast<double>(many[i]);
    }
  }
}

void place_rows(std::vector<node_place>& places) {
  std::vector<std::size_t> sorted(places.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::ranges::sort(sorted, {}, [&](std::size_t i) { return std::pair(places[i].order, i); });
  std::map<std::size_t, int> rows;
  for (const std::size_t i : sorted) {
    const int row = rows[places[i].column]++;
    places[i].x = margin + (static_cast<int>(places[i].column) * (node_width + column_gap));
    places[i].y = margin + (row * (node_height + row_gap));
  }
}

std::string rate_text(double rate) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), rate < 10 ? "%.1f/s" : "%.0f/s", rate);
  return {text.data(), static_cast<std::size_t>(size)};
}

void add_edge(std::string& to, const edge_now& of, const node_place& from, const node_place* end) {
  const int x1 = from.x + node_width;
  const int y1 = from.y + (node_height / 2);
  const int x2 = end ? end->x : x1 + (column_gap / 2);
  const int y2 = end ? end->y + (node_height / 2) : y1;
  const char* const colour = of.failed_rate > 0    ? "#c62828"
                             : of.offered_rate > 0 ? "#1565c0"
                                                   : "#8a8a8a";
  const int width = of.offered_rate >= 1000 ? 4 : of.offered_rate >= 10 ? 3 : 2;
  const auto number = [](int value) { return std::to_string(value); };
  const int bend = std::max(column_gap / 2, (x2 - x1) / 2);
  to += "<path class=\"edge\" d=\"M" + number(x1) + ' ' + number(y1) + " C" + number(x1 + bend) +
        ' ' + number(y1) + ' ' + number(x2 - bend) + ' ' + number(y2) + ' ' + number(x2) + ' ' +
        number(y2) + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"" + number(width) +
        '"' + (of.received ? "" : " stroke-dasharray=\"6 5\"") + " marker-end=\"url(#end)\">" +
        "<title>" + rate_text(of.offered_rate) + " offered" + (of.shared ? " by all senders" : "") +
        ", " + rate_text(of.failed_rate) + " failed" + (of.received ? "" : ", nobody receives") +
        "</title></path>\n";
}

void add_node(std::string& to, const graph::component& of, const component_now* figures,
              const node_place& at) {
  const bool fails = figures && figures->rates.failed > 0;
  const auto number = [](int value) { return std::to_string(value); };
  to += "<g><rect x=\"" + number(at.x) + "\" y=\"" + number(at.y) + "\" width=\"" +
        number(node_width) + "\" height=\"" + number(node_height) +
        "\" rx=\"6\" fill=\"#ffffff\" stroke=\"" + (fails ? "#c62828" : "#444444") +
        "\" stroke-width=\"1.5\"/>";
  const std::string name = of.name.empty() ? of.kind + ' ' + of.id : of.name;
  const auto line = [&](int below, int size, const std::string& text) {
    to += "<text x=\"" + number(at.x + 10) + "\" y=\"" + number(at.y + below) + "\" font-size=\"" +
          number(size) + "\">" + text + "</text>";
  };
  line(18, 13, xml_shortened(name));
  std::string second = of.kind;
  if (figures) {
    second += ", " + std::to_string(figures->is.stats.waiting) + " of " +
              std::to_string(figures->is.stats.capacity) + ", " + rate_text(figures->rates.handled);
  }
  line(34, 11, xml(second));
  to += "<title>" + xml(of.label()) + "</title></g>\n";
}

}  // namespace

std::string graph_svg(const figures_now& now) {
  const std::vector<graph::component>& nodes = now.is.all.components;
  const std::vector<edge_now> edges = edges_of(now);
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < nodes.size(); ++i) index.emplace(nodes[i].id, i);
  std::vector<edge_ends> ends;
  for (const edge_now& each : edges) {
    const auto from = index.find(each.is.from);
    const auto to = index.find(each.is.to);
    if (from != index.end() && to != index.end()) ends.push_back({from->second, to->second});
  }
  std::vector<node_place> places = columns_of(nodes.size(), ends);
  order_rows(places, ends);
  place_rows(places);
  int width = node_width + (2 * margin);
  int height = node_height + (2 * margin);
  for (const node_place& each : places) {
    width = std::max(width, each.x + node_width + column_gap + margin);
    height = std::max(height, each.y + node_height + margin);
  }
  std::map<std::string, const component_now*> figures;
  for (const component_now& each : now.components) figures.emplace(each.is.id, &each);

  std::string made = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) +
                     "\" height=\"" + std::to_string(height) +
                     "\" font-family=\"sans-serif\" role=\"img\">\n"
                     "<title>The components of the program and their bindings</title>\n"
                     "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                     "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
                     "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#444444\"/></marker>"
                     "</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>\n";
  for (const edge_now& each : edges) {
    const auto from = index.find(each.is.from);
    if (from == index.end()) continue;
    const auto to = index.find(each.is.to);
    add_edge(made, each, places[from->second], to == index.end() ? nullptr : &places[to->second]);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto of = figures.find(nodes[i].id);
    add_node(made, nodes[i], of == figures.end() ? nullptr : of->second, places[i]);
  }
  return made + "</svg>\n";
}

}  // namespace msgbus::monitoring
