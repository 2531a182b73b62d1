// What the page shows, as the fragment of its address: a link that can be sent.

/** What a page without a fragment shows. */
const initial = Object.freeze({
  database: "", policy: "", measurement: "", fields: null, aggregate: "mean", every: "auto", fill: "none", hasBand: true,
  tags: null, filters: [], range: "-1h", zone: "utc", refresh: "0", tab: "Table", statement: null, view: "",
});

const names = {
  database: "db", policy: "rp", measurement: "m", aggregate: "fn", every: "every", fill: "fill", range: "t", zone: "tz",
  refresh: "refresh", tab: "tab", statement: "q", view: "view",
};

/** Lists are `null` where the page is to choose, and one empty entry where nothing is chosen. */
const list = (parameters, name) => (parameters.has(name) ? parameters.getAll(name).filter((each) => each !== "") : null);

export function stateOf(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { ...initial };
  for (const [key, short] of Object.entries(names)) if (parameters.has(short)) state[key] = parameters.get(short);
  state.hasBand = parameters.get("band") !== "0";
  state.fields = list(parameters, "f");
  state.tags = list(parameters, "by");
  state.filters = parameters.getAll("where").flatMap((text) => {
    // Operator, length of the key, key, value: no character of a key or a value is special.
    const found = /^(=~|!~|!=|=)(\d+):/.exec(text);
    if (!found) return [];
    const start = found[0].length;
    const end = start + Number(found[2]);
    return [{ operator: found[1], key: text.slice(start, end), value: text.slice(end) }];
  });
  return state;
}

export function fragmentOf(state) {
  const parameters = new URLSearchParams();
  for (const [key, short] of Object.entries(names)) {
    if (state[key] !== initial[key] && state[key] != null) parameters.set(short, state[key]);
  }
  if (!state.hasBand) parameters.set("band", "0");
  for (const [key, short] of [["fields", "f"], ["tags", "by"]]) {
    if (state[key] === null) continue;
    (state[key].length ? state[key] : [""]).forEach((each) => parameters.append(short, each));
  }
  for (const { operator, key, value } of state.filters) parameters.append("where", `${operator}${key.length}:${key}${value}`);
  return parameters.toString();
}
