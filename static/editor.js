// The editor of filter expressions: colours under the text, and a list of the fields, words and values that can follow.
"use strict";
(() => {
  // What each kind of token looks like, in the order in which they are tried.
  const LOOKS = {
    string: /"[^"]*"?/,
    placeholder: /\$\w*/,
    keyword: /\b(?:INCLUDE|EXCLUDE|WHERE|AND|OR|IF|IN|NOT)\b/,
    target: /\b(?:ItemID|UserID|ActionID)\b/,
    field: /[A-Za-z_]\w*\.\w*/,
    number: /-?\d+(?:\.\d+)?/,
    sign: /<=|>=|!=|[=<>*|(),]/,
    word: /\w+/,
  };
  const KINDS = Object.keys(LOOKS);
  const TOKEN = new RegExp(KINDS.map((kind) => `(${LOOKS[kind].source})`).join("|"), "gi");
  const WORDS = ["INCLUDE", "EXCLUDE", "ItemID", "UserID", "ActionID", "WHERE", "IN", "NOT IN", "AND", "OR", "IF"];

  const tokens = (text) =>
    [...text.matchAll(TOKEN)].map((match) => ({
      kind: KINDS[match.slice(1).findIndex(Boolean)],
      text: match[0],
      start: match.index,
    }));

  const colour = (place, text) => {
    place.textContent = "";
    let end = 0;
    tokens(text).forEach((token) => {
      const part = document.createElement("span");
      part.className = `tok-${token.kind}`;
      part.textContent = token.text;
      place.append(text.slice(end, token.start), part);
      end = token.start + token.text.length;
    });
    place.append(`${text.slice(end)}\n`);
  };

  // What is being written at the end of `before`: a value of a field, or a word; and where it begins.
  const wanted = (before) => {
    const found = tokens(before);
    const last = found.at(-1);
    const isOpen = last && last.kind === "string" && !/^"[^"]*"$/.test(last.text);
    const touches = last && last.start + last.text.length === before.length;
    const rest = isOpen ? found.slice(0, -1) : found;
    const field = fieldBefore(rest);
    if (field && (isOpen || !touches || "(,=<>!".includes(last.text[0])))
      return { field, typed: isOpen ? last.text.slice(1) : "", start: isOpen ? last.start : before.length };
    if (isOpen || (touches && !["keyword", "target", "field", "word"].includes(last.kind))) return null;
    return { field: "", typed: touches ? last.text : "", start: touches ? last.start : before.length };
  };

  // The field that a value would belong to, if the tokens end where one is expected.
  const fieldBefore = (found) => {
    let at = found.length - 1;
    if (at >= 0 && found[at].kind === "sign" && /^(=|!=|<=?|>=?)$/.test(found[at].text))
      return found[at - 1]?.kind === "field" ? found[at - 1].text : "";
    if (at < 0 || !"(,".includes(found[at].text)) return "";
    while (at >= 0 && (["string", "placeholder"].includes(found[at].kind) || found[at].text === ",")) at -= 1;
    if (at < 0 || found[at].text !== "(") return "";
    at -= 1;
    if (at < 0 || found[at].text.toUpperCase() !== "IN") return "";
    at -= found[at - 1]?.text.toUpperCase() === "NOT" ? 2 : 1;
    return found[at]?.kind === "field" ? found[at].text : "";
  };

  const editor = (area) => {
    const box = document.createElement("div");
    const under = document.createElement("pre");
    const list = document.createElement("ul");
    [box.className, under.className, list.className] = ["editor", "under form-control font-monospace", "completions"];
    under.setAttribute("aria-hidden", "true");
    [list.id, list.hidden] = [`${area.id}_completions`, true];
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", area.dataset.completions);
    area.before(box);
    box.append(under, area, list);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", list.id);
    let [options, active, asked, place] = [[], -1, 0, null];

    const paint = () => {
      colour(under, area.value);
      under.scrollTop = area.scrollTop;
    };
    const close = () => {
      asked += 1; // what is still on its way would open the list again
      list.hidden = true;
      active = -1;
      area.removeAttribute("aria-activedescendant");
    };
    const mark = (index) => {
      active = index;
      [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
      if (list.children[index]) {
        area.setAttribute("aria-activedescendant", list.children[index].id);
        list.children[index].scrollIntoView({ block: "nearest" });
      }
    };
    const accept = (index) => {
      area.setRangeText(options[index].insert, place.start, area.selectionStart, "end");
      close();
      area.focus();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const show = (found, start) => {
      [options, place] = [found, { start }];
      list.textContent = "";
      found.forEach(({ label, note }, index) => {
        const option = document.createElement("li");
        option.id = `${list.id}_${index}`;
        option.setAttribute("role", "option");
        option.textContent = label;
        if (note) option.append(Object.assign(document.createElement("small"), { textContent: note }));
        option.onmousedown = (event) => {
          event.preventDefault();
          accept(index);
        };
        list.append(option);
      });
      list.hidden = !found.length;
      mark(found.length ? 0 : -1);
      if (!found.length) close();
    };

    const fields = () =>
      [...document.querySelectorAll(`[data-insert][data-into="${area.id}"]`)].map((button) => button.dataset.insert);
    const named = ({ typed, start }, isAsked) => {
      if (!typed && !isAsked) return close();
      const begins = (word) => word.toLowerCase().startsWith(typed.toLowerCase()) && word !== typed;
      const inside = (word) =>
        !begins(word) && typed.length > 1 && word.toLowerCase().includes(typed.toLowerCase()) && word !== typed;
      const all = [...WORDS, ...fields()];
      const found = [...all.filter(begins), ...all.filter(inside)].slice(0, 12);
      show(
        found.map((word) => ({ label: word, insert: word })),
        start,
      );
    };
    const valued = async ({ field, typed, start }) => {
      asked += 1;
      const number = asked;
      const query = new URLSearchParams({
        field,
        query: typed,
        dataset_group_arn: area.form.elements.dataset_group_arn.value,
      });
      const answer = await fetch(`${area.dataset.editor}?${query}`);
      if (!answer.ok) return;
      const { values, low, high } = await answer.json();
      if (number !== asked) return;
      const counted = (count) => (count === undefined ? "" : count.toLocaleString(document.documentElement.lang));
      const found = values.map(({ value, count }) => ({ label: value, note: counted(count), insert: `"${value}"` }));
      if (!found.length && low !== undefined && !typed)
        found.push(
          ...[
            [low, "lowest"],
            [high, "highest"],
          ].map(([end, note]) => ({ label: String(end), note, insert: String(end) })),
        );
      show(found, start);
    };
    const complete = (isAsked) => {
      asked += 1;
      const want = area.selectionStart === area.selectionEnd ? wanted(area.value.slice(0, area.selectionStart)) : null;
      if (!want) close();
      else if (want.field) valued(want);
      else named(want, isAsked);
    };

    area.addEventListener("input", (event) => {
      paint();
      if (event.isTrusted) complete(false);
    });
    area.addEventListener("scroll", () => {
      under.scrollTop = area.scrollTop;
    });
    area.addEventListener("blur", close);
    area.addEventListener("keydown", (event) => {
      const isOpen = !list.hidden;
      if (event.key === " " && event.ctrlKey) complete(true);
      else if (isOpen && event.key === "ArrowDown") mark((active + 1) % options.length);
      else if (isOpen && event.key === "ArrowUp") mark((active + options.length - 1) % options.length);
      else if (isOpen && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) accept(active);
      else if (isOpen && event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => {
      under.style.height = `${area.offsetHeight}px`;
    }).observe(area);
    paint();
  };

  document.querySelectorAll("[data-expression]").forEach((place) => colour(place, place.textContent));
  document.querySelectorAll("[data-editor]").forEach(editor);
})();
