// Preloaded by Node: every request of the suite, which knows no tokens for a server under test, brings one.
const http = require("node:http");
const { syncBuiltinESMExports } = require("node:module");
const { getGlobalDispatcher, setGlobalDispatcher } = require(require.resolve("undici", { paths: [process.argv[1]] }));

const name = "authorization", value = `Bearer ${process.env.TOKEN}`;

function allowed(headers) {
  return Array.isArray(headers) ? [...headers, name, value] : { ...(headers || {}), [name]: value };
}

setGlobalDispatcher(getGlobalDispatcher().compose(
  (dispatch) => (options, handler) => dispatch({ ...options, headers: allowed(options.headers) }, handler),
));

const { request } = http;
http.request = (...given) => {
  const made = request(...given);
  made.setHeader(name, value);
  return made;
};
syncBuiltinESMExports();
