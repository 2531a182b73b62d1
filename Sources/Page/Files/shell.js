// The same question for a shell.

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The question as `varve query`. */
export const commandText = (text, database) =>
  `varve query --server ${quoted(location.origin)} --database ${quoted(database)} ${quoted(text)}`;

/** The question as `curl`. */
export const curlText = (text, database) =>
  `curl -G ${quoted(location.origin + "/query")} --data-urlencode ${quoted("db=" + database)} `
  + `--data-urlencode ${quoted("q=" + text)}`;
