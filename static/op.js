// OpenPersonalize in a page: views, clicks with what was shown beside them, and events of your own.
//
//   <script async src="https://recommend.example/op.js" data-key="INGEST_KEY"></script>
//
// data-consent="ask" sends and stores nothing before op("consent", true). <meta name="op:item" content="ID"> or
// <body data-op-view="ID"> is a view; inside <div data-op-list="RECOMMENDATION_ID">, elements with data-op-item="ID" are
// impressions once seen and clicks once clicked. From code: op("event", type, itemId, more), op("user", id), op("flush").
((w, d, script) => {
  const to = `${new URL(script.src).origin}/ingest/${script.dataset.key}/events`;
  const early = w.op?.q ?? [];
  const store = (name, value) => {
    try {
      if (value === undefined) return localStorage.getItem(`op.${name}`);
      if (value === null) localStorage.removeItem(`op.${name}`);
      else localStorage.setItem(`op.${name}`, value);
    } catch {}
    return value;
  };
  const id = () => [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const asks = script.dataset.consent === "ask";
  let may = asks ? store("consent") === "yes" : store("consent") !== "no";
  let session = null;
  let queue = [];
  let timer = 0;

  const sessionId = () => {
    if (!session) session = store("session") || store("session", id());
    return session;
  };
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!may || !queue.length) return;
    const body = { sessionId: sessionId(), events: queue.splice(0, 50) };
    const user = store("user");
    if (user) body.userId = user;
    const text = JSON.stringify(body);
    if (!navigator.sendBeacon?.(to, text)) {
      fetch(to, { method: "POST", body: text, keepalive: true, credentials: "omit", mode: "no-cors" }).catch(() => {});
    }
    if (queue.length) flush();
  };
  const api = {
    event(eventType, itemId, more) {
      queue.push({ eventType, itemId: String(itemId), eventId: id(), sentAt: Date.now() / 1000, ...more });
      if (queue.length > 200) queue.shift();
      if (queue.length >= 20) flush();
      else timer ||= setTimeout(flush, 2000);
    },
    view: (itemId, more) => api.event("view", itemId, more),
    user: (name) => may && store("user", name ? String(name) : null),
    consent(yes) {
      may = yes;
      if (!yes) {
        queue = [];
        session = null;
        for (const name of ["session", "user"]) store(name, null);
      }
      store("consent", yes ? "yes" : "no");
      flush();
    },
    flush,
  };
  w.op = (name, ...values) => api[name]?.(...values);
  for (const call of early) w.op(...call);

  const on = (...what) => d.addEventListener(...what);
  const seen = new Map();
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const list = isIntersecting && target.closest("[data-op-list]");
        if (list) seen.set(list, (seen.get(list) ?? new Set()).add(target.dataset.opItem));
      }
    },
    { threshold: 0.5 },
  );
  const start = () => {
    for (const item of d.querySelectorAll("[data-op-list] [data-op-item]")) watch.observe(item);
    const shown = d.querySelector('meta[name="op:item"]')?.content ?? d.body.dataset.opView;
    if (shown) api.view(shown);
  };
  on(
    "click",
    (event) => {
      const item = event.target.closest?.("[data-op-item]");
      if (!item) return;
      const list = item.closest("[data-op-list]");
      const more = {};
      if (list) {
        more.impression = [...new Set([...(seen.get(list) ?? []), item.dataset.opItem])].slice(0, 25);
        if (list.dataset.opList) more.recommendationId = list.dataset.opList;
      }
      api.event("click", item.dataset.opItem, more);
    },
    true,
  );
  on("visibilitychange", () => d.visibilityState === "hidden" && flush());
  if (d.readyState === "loading") on("DOMContentLoaded", start);
  else start();
})(window, document, document.currentScript);
