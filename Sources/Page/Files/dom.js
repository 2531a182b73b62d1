// Makes elements. Text from outside only ever becomes a text node or an attribute's value, never markup.

const svgSpace = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

/** An element of HTML; an attribute that is a function listens for the event of its name. */
export const make = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

/** An element of SVG. */
export const draw = (name, attributes, ...children) =>
  fill(document.createElementNS(svgSpace, name), attributes, children);

/** Puts options into a select and keeps the value where it is among them. */
export function setOptions(select, values, value) {
  select.replaceChildren(...values.map((each) => make("option", { value: each }, visible(each))));
  select.value = values.includes(value) ? value : (values[0] ?? "");
  return select.value;
}

/** A text with what cannot be seen, or turns the text around it, made visible. */
export function visible(text) {
  return String(text)
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (c) => "⟨U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
}

/**
 * A table in a region that scrolls, and that the keyboard reaches.
 *
 * Cells are texts or nodes; columns of `numeric` are set right, those of `wide` wrap.
 */
export function table(label, columns, rows, { numeric = new Set(), wide = new Set() } = {}) {
  const kind = (index) => (numeric.has(index) ? "number" : wide.has(index) ? "wide" : null);
  const head = make("tr", null,
    columns.map((column, index) => make("th", { scope: "col", class: kind(index) }, column)));
  const body = rows.map((row) =>
    make("tr", null, row.map((cell, index) =>
      make("td", { class: cell === null ? "null" : kind(index) }, cell === null ? "null" : cell))));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    make("table", null, make("thead", null, head), make("tbody", null, body)));
}

/** Copies a text, also where the page has no secure context and so no clipboard of its own. */
export async function copy(text) {
  try {
    return await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard, or not for this page: the old way may still be open.
  }
  const area = make("textarea", { class: "offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("the browser does not let the page copy");
}
