// A tracer whose collector does not answer: the failed request is counted.

#include <msgbus/otlp.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

int main() {
  using namespace std::chrono_literals;
  msgbus::otlp_options options;
  options.endpoint = "http://127.0.0.1:1";
  options.timeout = 100ms;
  options.linger = 100ms;
  const auto tracer = std::make_shared<msgbus::otlp_tracer>(options);
  {
    const msgbus::span entry = msgbus::start_span(tracer, "a span");
  }
  if (tracer->flush(100ms)) return 1;
  std::cout << tracer->stats() << '\n';
  return tracer->stats().ended == 1 ? 0 : 1;
}
