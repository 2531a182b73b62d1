// The pickers: database, measurement, fields, function, tags, conditions.

import { askQuery, column } from "./ask.js";
import { find, make, setOptions, visible } from "./dom.js";
import { name, source } from "./statement.js";

const measurementCountMax = 5000;
const valueCountMax = 500;
/** Lines that grouping by the first tag may make unasked. */
const firstGroupCountMax = 12;
/** Entries from which a list can be searched. */
const searchedCountMin = 12;

const isNumber = (type) => type !== "string" && type !== "boolean";

/** Holds what can be picked and what is; `state` is shared with the page. */
export class Pickers {
  constructor(state, { onChange, onProblem }) {
    Object.assign(this, { state, onChange, onProblem });
    this.schema = { fields: [], tags: [] };
    find("pickForm").addEventListener("submit", (event) => event.preventDefault());
    for (const id of ["database", "policy", "measurement"]) find(id).addEventListener("change", () => this.pickSource(id));
    for (const id of ["aggregate", "every", "fill"]) find(id).addEventListener("change", () => this.set(id, find(id).value));
    find("band").addEventListener("change", () => this.set("hasBand", find("band").checked));
    find("filterKey").addEventListener("change", () => this.suggest());
    find("filterValue").addEventListener("focus", () => this.suggest());
    find("filterAdd").addEventListener("click", () => this.addFilter());
    find("filterValue").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey) return;
      event.preventDefault();
      this.addFilter();
    });
    for (const [search, list] of [["fieldSearch", "fields"], ["tagSearch", "tags"]]) {
      find(search).addEventListener("input", () => this.narrow(search, list));
    }
  }

  set(key, value) {
    this.state[key] = value;
    this.showFunction();
    this.onChange();
  }

  // What there is

  /** Reads databases, measurements and the schema, and shows what the state picks of them. */
  async load() {
    const { state } = this;
    const databases = column((await askQuery("SHOW DATABASES"))[0], "name").sort();
    if (state.database && !databases.includes(state.database)) {
      this.onProblem(`There is no database “${visible(state.database)}”.`);
    }
    state.database = setOptions(find("database"), databases, state.database || "metrics");
    await this.loadDatabase();
  }

  async loadDatabase() {
    const { state } = this;
    const database = name(state.database);
    const [policies, measurements] = await askQuery(
      `SHOW RETENTION POLICIES ON ${database}; SHOW MEASUREMENTS ON ${database} LIMIT ${measurementCountMax}`);
    const policyNames = column(policies, "name");
    this.defaultPolicy = policyNames[column(policies, "default").indexOf(true)] ?? policyNames[0] ?? "";
    find("policyRow").hidden = policyNames.length < 2;
    setOptions(find("policy"), policyNames, state.policy || this.defaultPolicy);
    const names = column(measurements, "name");
    const isBeyond = names.length === measurementCountMax && !names.includes(state.measurement);
    if (state.measurement && isBeyond) names.push(state.measurement);
    state.measurement = setOptions(find("measurement"), names, state.measurement);
    await this.loadMeasurement();
  }

  async loadMeasurement() {
    const { state } = this;
    this.schema = { fields: [], tags: [] };
    if (state.measurement) {
      const from = this.source();
      const [fields, tags] = await askQuery(
        `SHOW FIELD KEYS FROM ${from}; SHOW TAG KEYS FROM ${from}`, { database: state.database });
      const types = column(fields, "fieldType");
      this.schema.fields = column(fields, "fieldKey").map((key, index) => ({ key, type: types[index] }));
      this.schema.tags = column(tags, "tagKey");
    }
    await this.choose();
    this.show();
  }

  source() {
    return source({ policy: this.state.policy, measurement: this.state.measurement });
  }

  /** Picks fields and tags where the state leaves that to the page. */
  async choose() {
    const { state, schema } = this;
    const known = (keys, all) => keys?.filter((key) => all.includes(key)) ?? null;
    const keys = schema.fields.map((field) => field.key);
    state.fields = known(state.fields, keys);
    if (!state.fields?.length) {
      const first = schema.fields.find((field) => isNumber(field.type)) ?? schema.fields[0];
      state.fields = first ? [first.key] : [];
    }
    state.filters = state.filters.filter((filter) => schema.tags.includes(filter.key));
    const tags = known(state.tags, schema.tags);
    state.tags = tags ?? [];
    if (tags || schema.tags.length === 0) return;
    const values = await this.valuesOf(schema.tags[0], firstGroupCountMax + 1);
    if (values.length <= firstGroupCountMax) state.tags = [schema.tags[0]];
  }

  async valuesOf(tag, countMax) {
    const [values] = await askQuery(`SHOW TAG VALUES FROM ${this.source()} WITH KEY = ${name(tag)} LIMIT ${countMax}`,
      { database: this.state.database });
    return column(values, "value");
  }

  /** What a statement is made of. */
  choice() {
    const { state, schema } = this;
    return { ...state, fields: schema.fields.filter((field) => state.fields.includes(field.key)) };
  }

  // What is picked

  async pickSource(id) {
    const { state } = this;
    state[id] = find(id).value;
    if (id === "policy" && state.policy === this.defaultPolicy) state.policy = "";
    if (id === "database") [state.policy, state.measurement] = ["", ""];
    Object.assign(state, { fields: null, tags: null, filters: [] });
    try {
      await (id === "database" ? this.loadDatabase() : this.loadMeasurement());
      this.onChange();
    } catch (error) {
      this.onProblem(error.message);
    }
  }

  toggle(list, key, isOn) {
    const chosen = this.state[list].filter((each) => each !== key);
    this.state[list] = isOn ? [...chosen, key] : chosen;
    this.onChange();
  }

  async suggest() {
    const key = find("filterKey").value;
    if (!key || this.suggested === this.source() + key) return;
    this.suggested = this.source() + key;
    try {
      const values = await this.valuesOf(key, valueCountMax);
      find("filterValues").replaceChildren(...values.map((value) => make("option", { value })));
    } catch (error) {
      this.onProblem(error.message);
    }
  }

  addFilter() {
    const [key, operator, value] = ["filterKey", "filterOperator", "filterValue"].map((id) => find(id).value);
    if (!key) return;
    this.state.filters = [...this.state.filters, { key, operator, value }];
    find("filterValue").value = "";
    this.showFilters();
    this.onChange();
  }

  removeFilter(index) {
    this.state.filters = this.state.filters.filter((_, each) => each !== index);
    this.showFilters();
    (find("filters").querySelector("button") ?? find("filterKey")).focus();
    this.onChange();
  }

  // Shown

  show() {
    const { state, schema } = this;
    this.showChecks("fields", "fieldSearch", schema.fields.map(({ key, type }) => ({ key, note: type })), "no fields");
    this.showChecks("tags", "tagSearch", schema.tags.map((key) => ({ key })), "no tags");
    setOptions(find("filterKey"), schema.tags, find("filterKey").value);
    for (const id of ["aggregate", "every", "fill"]) {
      const isKnown = [...find(id).options].some((option) => option.value === state[id]);
      if (!isKnown) find(id).append(make("option", { value: state[id] }, visible(state[id])));
      find(id).value = state[id];
    }
    find("band").checked = state.hasBand;
    this.suggested = null;
    find("filterValues").replaceChildren();
    this.showFunction();
    this.showFilters();
  }

  showFunction() {
    const isRaw = this.state.aggregate === "raw";
    find("every").disabled = isRaw;
    find("fill").disabled = isRaw;
    find("band").disabled = this.state.aggregate !== "mean";
  }

  showChecks(list, search, entries, none) {
    const rows = entries.map(({ key, note }) =>
      make("label", { class: "check" },
        make("input", { type: "checkbox", value: key, checked: this.state[list].includes(key),
          change: (event) => this.toggle(list, key, event.target.checked) }),
        make("span", { class: "name" }, visible(key)), note ? make("span", { class: "note" }, note) : null));
    find(list).replaceChildren(...(rows.length ? rows : [make("p", { class: "hint" }, none)]));
    find(search).hidden = entries.length < searchedCountMin;
    find(search).value = "";
  }

  narrow(search, list) {
    const wanted = find(search).value.toLowerCase();
    for (const row of find(list).children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }

  showFilters() {
    find("filters").replaceChildren(...this.state.filters.map(({ key, operator, value }, index) => {
      const text = `${visible(key)} ${operator} ${value === "" ? "∅" : visible(value)}`;
      return make("li", null, make("span", null, text),
        make("button", { type: "button", "aria-label": `Remove ${text}`, click: () => this.removeFilter(index) }, "×"));
    }));
  }

  /** What is picked, in a line. */
  summary() {
    const { database, measurement, fields, tags } = this.state;
    const groups = tags?.length ? "by " + tags.join(", ") : "";
    return [database, measurement, fields?.join(", "), groups].filter(Boolean).map(visible).join(" · ");
  }
}
