// Light, dark, or as the system has it; remembered where the browser allows it.

const KEY = "msgbus theme";
const THEMES = [["", "Auto"], ["light", "Light"], ["dark", "Dark"]];

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

function use(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    return;  // it holds until the page is loaded again
  }
}

export function prepareTheme(fieldset, element) {
  const now = remembered();
  use(now);
  for (const [value, title] of THEMES) {
    fieldset.append(element("label", {}, element("input", {
      type: "radio", name: "theme", value, checked: value === now,
      onchange: () => {
        use(value);
        remember(value);
      },
    }), element("span", {text: title})));
  }
}
