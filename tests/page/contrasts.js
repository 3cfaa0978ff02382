// The texts that are seen on the page whose contrast with what is behind them is below `least`.
((least) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  // Any colour of CSS as [r, g, b, a], over nothing.
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  // A gradient counts as its first colour, which is the strongest one here.
  const ground = (node) => {
    if (!node) return [255, 255, 255, 1];
    const style = getComputedStyle(node);
    const below = () => ground(node.parentElement);
    const first = style.backgroundImage.match(/(rgba?|color|oklch|oklab)\([^)]*\)/);
    const own = parsed(first ? first[0] : style.backgroundColor);
    return own[3] === 1 ? own : over(own, below());
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].filter((each) => each.nodeType === 3 && each.data.trim());
    if (!own.length || !node.checkVisibility({visibilityProperty: true})) continue;
    if (node.closest(".spoken, option, noscript, title, :disabled")) continue;
    const style = getComputedStyle(node);
    const isDrawn = node.namespaceURI.endsWith("svg");
    const box = node.closest(".box");
    const behind = box ? parsed(getComputedStyle(box.querySelector(".shape")).fill) : ground(node);
    const contrast = ratio(over(parsed(isDrawn ? style.fill : style.color), behind), behind);
    const name = node.className.baseVal ?? node.className;
    if (contrast < least) found.push(`${contrast.toFixed(2)} ${name}: ${own[0].data}`);
  }
  return found;
})
