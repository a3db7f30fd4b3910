// Text that stands out from what is behind it by less than WCAG 2 asks: 4.5 to 1, large text 3 to 1.
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const painted = colours => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(value => value / 255);
  };
  const linear = value => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = colours => painted(colours).map(linear).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = element => {
    const found = [];
    for (let up = element; up; up = up.parentElement) found.unshift(getComputedStyle(up).backgroundColor);
    return found;
  };
  const worded = element => [...element.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
  const left = "svg, .price, .synthetic, .hidden, option, :disabled";
  return [...document.querySelectorAll("body *")].filter(element => element.checkVisibility() && !element.closest(left) && worded(element)).flatMap(element => {
    const style = getComputedStyle(element), back = behind(element), size = parseFloat(style.fontSize);
    const [a, b] = [light(back), light([...back, style.color])], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    return ratio < (large ? 3 : 4.5) ? [`${element.tagName}.${element.className} ${ratio.toFixed(2)}: ${element.textContent.slice(0, 40)}`] : [];
  });
})()
