/// What the tests ask of the page's elements, as expressions of JavaScript.
extension PageTests {
  /// Calls an element by its id, by the figure that it shows, or by what it says.
  private static let keyOf =
    """
    const nameOf = (node) => node.getAttribute('aria-label') || (node.labels?.[0]?.textContent ?? '').trim()
      || node.textContent.trim() || node.title;
    const keyOf = (node) => node.id || node.dataset.figure || `${node.tagName} ${node.value ?? ''} ${nameOf(node)}`;
    """

  /// What has the focus: its key, its name, and whether a frame is seen around it.
  static let focused =
    """
    (() => {
      \(keyOf)
      const node = document.activeElement;
      if (node === document.body) return { key: 'body' };
      const seen = node.type === 'radio' ? node.nextElementSibling : node;
      const style = getComputedStyle(seen);
      return { key: keyOf(node), name: nameOf(node), isFramed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 };
    })()
    """

  /// The keys of everything seen that the Tab key must reach; of a group of choices and of tabs, the one that is chosen.
  static let focusable =
    """
    (() => {
      \(keyOf)
      return [...document.querySelectorAll('a[href], button, summary, select, input, textarea, [tabindex]')]
        .filter((node) => node.getClientRects().length > 0 && !node.disabled && node.tabIndex >= 0)
        .filter((node) => node.type !== 'radio' || node.checked).map(keyOf);
    })()
    """

  /// Texts that are seen with a contrast below 4.5, each with its contrast; what cannot be used is left out.
  ///
  /// Formula: WCAG 2.2, relative luminance and contrast ratio.
  static let faintTexts =
    """
    (() => {
      const read = (text) => {
        const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
      };
      const over = (top, below) => top.rgb.map((part, index) => part * top.a + below[index] * (1 - top.a));
      const backOf = (node) => {
        if (!node) return [255, 255, 255];
        const own = read(getComputedStyle(node).backgroundColor);
        return own.a === 1 ? own.rgb : over(own, backOf(node.parentElement));
      };
      const light = (rgb) => {
        const [r, g, b] = rgb.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found = [];
      for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (!text.data.trim() || node.closest('script, noscript, datalist, option, :disabled, .hidden')) continue;
        if (node.querySelector?.('input:disabled') || node.parentElement.querySelector(':scope > input:disabled')) continue;
        if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        const style = getComputedStyle(node);
        const back = backOf(node);
        const ink = over(read(node instanceof SVGElement ? style.fill : style.color), back);
        const [low, high] = [light(ink), light(back)].sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${text.data.trim().slice(0, 40)}`);
      }
      return found;
    })()
    """
}
