// The page of the admin listener: asks for `status` every two seconds and draws the answer.
//
// Whatever stands in a status is text here, never markup: a provider's words are hostile input. Nodes are
// made by `patch` alone, which knows elements, attributes and text. Positions on bars go through the CSSOM,
// because the policy that the page is served with forbids styles in attributes.

const POLL_SECONDS = 2;
const POLL_SECONDS_MAX = 15;
const ANSWER_SECONDS_MAX = 5;
/// More providers than these are folded when they are well, and can be filtered.
const UNFOLDED_MAX = 12;
const PROBLEMS_SHOWN = 6;
/// Of a quota: with less than this share left, it is nearly used.
const LOW_SHARE = 0.1;
const WORDS_MAX = 600, PROBLEMS_WORDS_MAX = 6000;

const WELL = 0, WATCH = 1, BAD = 2;
const LEVELS = ["well", "watch", "bad"];

// ---- What was heard of the proxy, and when.

let status = null;
/// When the status came, by the browser's monotonic clock: its wall clock may be wrong.
let heardAt = 0;
/// The one before, which is gone back to when a status cannot be shown.
let before = [null, 0];
/// How many times in a row it was asked in vain, what came instead, and when it is asked again.
let misses = 0, silence = null, askedAgainAt = 0;
let asking = false, timer = 0;

async function ask() {
  if (asking || document.hidden) return;
  clearTimeout(timer);
  asking = true;
  try {
    const answer = await fetch("status", {
      cache: "no-store", signal: AbortSignal.timeout(ANSWER_SECONDS_MAX * 1000),
    });
    if (!answer.ok) throw new Unfit(`It answered ${answer.status}.`);
    hear(await answer.json());
    misses = 0;
  } catch (failure) {
    misses += 1;
    silence = reason(failure);
  }
  asking = false;
  const pause = misses ? Math.min(POLL_SECONDS * 1.6 ** (misses - 1), POLL_SECONDS_MAX) : POLL_SECONDS;
  askedAgainAt = performance.now() + pause * 1000;
  if (document.hidden) return;
  timer = setTimeout(ask, pause * 1000);
  draw();
}

/// There is an answer, and it is not a status.
class Unfit extends Error {}

function reason(failure) {
  if (failure instanceof Unfit || failure.name === "SyntaxError") {
    const why = failure instanceof Unfit ? failure.message : "Its answer is not JSON.";
    return { verdict: "No status", what: "The proxy does not say how it is.", why };
  }
  const late = failure.name === "TimeoutError";
  const why = late ? `It had ${ANSWER_SECONDS_MAX} s.` : "There is no connection to it.";
  return { verdict: "No answer", what: "The proxy does not answer.", why };
}

function hear(told) {
  if (!told || isNaN(Date.parse(told.now))) throw new Unfit("Its answer is not a status.");
  // Another version brings another page.
  if (status && status.version !== told.version) location.reload();
  before = [status, heardAt];
  status = told;
  heardAt = performance.now();
}

// ---- Time: the status' own, and since then the seconds that went by here. In silence it stands still.

const age = () => (performance.now() - heardAt) / 1000;
const passed = () => (misses ? 0 : age());
const now = () => Date.parse(status.now) + passed() * 1000;
const since = (moment) => Math.max(0, (now() - Date.parse(moment)) / 1000);
const left = (seconds) => Math.max(0, seconds - passed());
const known = (value) => value !== null && value !== undefined;

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/// "20 min 34 s": two units at most, so that long spans do not flicker.
function span(seconds, most = 2) {
  let rest = Math.floor(seconds);
  const first = UNITS.findIndex(([size]) => rest >= size);
  if (first < 0) return "0\u00a0s";
  const parts = UNITS.slice(first, first + most).map(([size, unit]) => {
    const number = Math.floor(rest / size);
    rest %= size;
    return number ? `${number}\u00a0${unit}` : "";
  });
  return parts.filter(Boolean).join(" ");
}

/// What is still to come is rounded up: "0 s" is when it is there.
const until = (seconds, most) => span(Math.ceil(left(seconds)), most);
/// Of what is past, the minutes are enough.
function ago(moment) {
  const seconds = since(moment);
  return seconds < 1 ? "just now" : `${span(seconds, seconds < 3600 ? 1 : 2)} ago`;
}

/// The time of day in UTC, as in the log; with the day when it is not today's, and the year likewise.
function clock(moment, digits = 8) {
  const text = new Date(moment).toISOString();
  const today = new Date(now()).toISOString();
  const from = text.startsWith(today.slice(0, 10)) ? 11 : text.startsWith(today.slice(0, 5)) ? 5 : 0;
  return text.slice(from, 11 + digits).replace("T", " ");
}

const time = (moment, text) => h("time", { datetime: moment, title: moment }, text);
const count = (number) => (typeof number === "number" ? number.toLocaleString("en") : "?");
const many = (number, one, more) => `${count(number)}\u00a0${number === 1 ? one : more}`;
const share = (part, whole) => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);
const percent = (part) => `${(part * 100).toFixed(2)}%`;

// ---- Drawing: descriptions of elements, and bringing the document to what they say.

/// `bars` are custom properties of the element's style. Children: descriptions, text, lists of them, nothing.
function h(tag, { key, bars, ...attributes } = {}, ...children) {
  const there = children.flat(3).filter((child) => known(child) && child !== false && child !== "");
  return { tag, key, bars: bars ?? {}, attributes, children: there };
}

/// Words from elsewhere: cut, and set apart so that their direction stays theirs.
const words = (text, attributes, most = WORDS_MAX) => {
  const all = String(text ?? "");
  return h("bdi", attributes, all.length > most ? `${all.slice(0, most)}…` : all);
};

/// With a full stop, unless they have one.
const sentence = (text) => [words(text), /[.!?…]$/.test(text) ? " " : ". "];

/// Changes what differs and nothing else: selections, focus and what somebody unfolded stay.
function patch(parent, children) {
  const keyed = new Map();
  for (const node of parent.childNodes) if (node.key) keyed.set(node.key, node);
  let here = parent.firstChild;
  for (const child of children) {
    const node = matching(child, here, keyed) ?? made(child);
    if (node !== here) parent.insertBefore(node, here);
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data !== String(child)) node.data = child;
    } else {
      bring(node, child);
    }
    here = node.nextSibling;
  }
  while (here) {
    const gone = here;
    here = here.nextSibling;
    gone.remove();
  }
}

function matching(child, here, keyed) {
  if (child.key) {
    const node = keyed.get(child.key);
    keyed.delete(child.key);
    return node;
  }
  return here && !here.key && here.nodeName.toLowerCase() === (child.tag ?? "#text") ? here : null;
}

function made(child) {
  if (!child.tag) return document.createTextNode("");
  const node = document.createElement(child.tag);
  node.key = child.key;
  return node;
}

function bring(node, { attributes, bars, children }) {
  const drawn = node.drawn ?? { attributes: {}, bars: {} };
  for (const name of new Set([...Object.keys(drawn.attributes), ...Object.keys(attributes)])) {
    if (drawn.attributes[name] === attributes[name]) continue;
    if (known(attributes[name])) node.setAttribute(name, attributes[name]);
    else node.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(bars)) {
    if (drawn.bars[name] !== value) node.style.setProperty(`--${name}`, value);
  }
  node.drawn = { attributes, bars };
  patch(node, children);
}

const place = (id) => document.getElementById(id);
const fill = (id, ...children) => patch(place(id), h("", {}, children).children);

function draw() {
  drawSilence();
  if (!status) return;
  const held = document.activeElement;
  try {
    const judged = (status.providers ?? []).map((provider) => ({ provider, ...judge(provider) }));
    drawReadiness(judged);
    fill("version", status.version);
    fill("clock", `${clock(now())} UTC`);
    fill("notices", notices());
    drawProblems(status.problems ?? []);
    drawProviders(judged);
    fill("process", facts());
    place("figures").hidden = false;
  } catch (failure) {
    // Half a drawing looks like a whole one.
    misses += 1;
    silence = reason(new Unfit(`Its status cannot be shown: ${failure.message}.`));
    [status, heardAt] = before;
    before = [null, 0];
    return draw();
  }
  if (held !== document.activeElement && held?.isConnected) held.focus({ preventScroll: true });
}

// ---- The top: is it ready, and does it answer at all.

function drawSilence() {
  place("silence").hidden = misses === 0;
  document.body.classList.toggle("silent", misses > 0);
  if (misses === 0) return;
  const wait = Math.max(0, (askedAgainAt - performance.now()) / 1000);
  fill("silence-words", h("strong", {}, silence.what), " ", words(silence.why));
  fill("silence-age",
    status ? ["What you see is ", h("strong", {}, `${span(age())} old`),
      `, of ${clock(status.now)} UTC. `] : "",
    asking ? "Asking…" : `Next try in ${span(Math.ceil(wait))}.`);
  fill("verdict", mark(BAD), silence.verdict);
  place("readiness").className = "bad";
  document.title = `✕ ${silence.verdict} · Tollkey`;
}

function drawReadiness(judged) {
  const draining = status.state === "draining";
  const worst = Math.max(WELL, ...judged.map((one) => one.level));
  const level = draining ? WATCH : !status.ready ? BAD : worst === BAD ? WATCH : WELL;
  const verdict = draining ? "Draining" : status.ready ? "Ready" : "Not ready";
  const troubled = judged.filter((one) => one.level > WELL).length;
  if (!misses) {
    fill("verdict", mark(level), verdict);
    place("readiness").className = LEVELS[level];
    document.title = `${["✓", "▲", "✕"][level]} ${verdict} · Tollkey`;
  }
  const calls = (of) => judged.reduce((sum, { provider }) => sum + (provider.calls?.[of] ?? 0), 0);
  const failed = calls("last_minute_failed");
  fill("reasons",
    misses ? h("p", {}, `It was ${verdict.toLowerCase()} when it last answered.`) : null,
    (status.not_ready ?? []).length ? h("ul", {}, status.not_ready.map(why)) : null,
    h("p", { class: "lead" },
      draining ? "It takes no new connections and ends the calls that run. " : "",
      !judged.length ? "No provider is configured. "
        : troubled ? `${count(troubled)} of ${many(judged.length, "provider", "providers")} want a look. `
          : `All is well with ${judged.length === 1 ? "the provider" : `all ${count(judged.length)} providers`}. `,
      judged.length ? `${many(calls("last_minute"), "call", "calls")} in the last minute, ` : "",
      judged.length ? (failed ? h("strong", {}, `${count(failed)} failed.`) : "none failed.") : ""));
}

/// "jpay/access: expired, …": who it is stands out.
function why(text) {
  const [, who, rest] = /^(\S+:) (.*)$/s.exec(text) ?? [];
  return h("li", {}, who ? [h("strong", {}, words(who)), " ", words(rest)] : words(text));
}

/// A shape for each level, so that colour is not the only sign.
const mark = (level) => h("span", { class: `mark ${LEVELS[level]}`, "aria-hidden": "true" });

/// What is wrong with the proxy itself. Nothing, most of the time.
function notices() {
  const found = [];
  const reload = status.configuration?.last_reload;
  if (reload?.outcome === "failed") {
    found.push(notice("reload", BAD, "The last reload failed", [
      `It was ${ago(reload.at)}. What was loaded ${ago(status.configuration.loaded)} still holds.`,
      reload.problems ? h("pre", {}, words(reload.problems, {}, PROBLEMS_WORDS_MAX)) : "",
    ]));
  }
  const ledger = status.ledger ?? {};
  if (ledger.state === "fallback" || ledger.state === "away") {
    const what = ledger.state === "away" ? "calls with a limit are refused" : "limits are kept here alone";
    found.push(notice("ledger", BAD, `The ledger (${ledger.kind}) cannot be asked`, [
      `${ledger.since ? `For ${span(since(ledger.since))} now: ` : ""}${what}. `, words(ledger.words)]));
  }
  const dropped = status.log?.lines_dropped ?? 0;
  if (dropped) {
    const lines = many(dropped, "line was", "lines were");
    found.push(notice("log", WATCH, "The log has gaps", `${lines} dropped.`));
  }
  return found;
}

const notice = (key, level, title, ...rest) =>
  h("div", { key, class: `notice ${LEVELS[level]}` }, h("h2", {}, mark(level), title), h("div", {}, rest));

// ---- Was it the proxy or the provider?

const SIDES = ["provider", "proxy", "client"];

function drawProblems(problems) {
  const sums = SIDES.map((side) =>
    [side, problems.filter((one) => one.side === side).reduce((sum, one) => sum + one.count, 0)]);
  const total = sums.reduce((sum, [, number]) => sum + number, 0);
  if (!problems.length) return fill("problems", h("p", { class: "quiet" }, "None."));
  const [most, number] = sums.reduce((best, one) => (one[1] > best[1] ? one : best));
  const whose = { provider: "the provider’s", proxy: "the proxy’s", client: "the client’s" }[most];
  const answer = number === total ? (total === 1 ? `It was ${whose}.` : `All ${count(total)} were ${whose}.`)
    : `${count(number)} of ${count(total)} were ${whose}.`;
  const shown = problems.slice(0, PROBLEMS_SHOWN), rest = problems.slice(PROBLEMS_SHOWN);
  fill("problems",
    h("p", { class: "answer" }, answer),
    h("div", { class: "sides", "aria-hidden": "true" }, sums.filter(([, number]) => number).map(
      ([side, number]) => h("span", { key: side, class: side, bars: { share: String(number) } }))),
    h("ul", { class: "sums" }, sums.map(([side, number]) => h("li",
      { key: side, class: number ? side : `${side} none` }, h("strong", {}, count(number)), ` ${side}`))),
    h("ul", { class: "problems" }, shown.map(problem)),
    rest.length ? h("details", { class: "rest" }, h("summary", {}, `${count(rest.length)} more kinds`),
      h("ul", { class: "problems" }, rest.map(problem))) : null);
}

const problem = (one) =>
  h("li", { key: `${one.side} ${one.kind} ${one.provider}`, class: one.side },
    h("span", { class: "count" }, `${count(one.count)}×`),
    words(one.side, { class: "side" }),
    h("div", {},
      h("p", {}, one.provider ? [words(one.provider, { class: "of" }), " "] : "",
        words(one.kind, { class: "kind" })),
      h("p", { class: "what" }, words(one.words))),
    h("p", { class: "when" }, time(one.last, ago(one.last)), h("span", {}, ` ${clock(one.last)}`)));

// ---- Providers: those in trouble first.

/// What is to be said about a provider in a word or two each, and how bad the worst of it is.
function judge(provider) {
  const found = [];
  for (const one of provider.credentials ?? []) {
    const level = credentialLevel(one);
    if (level) found.push([level, `${one.name} ${one.usable ? "is not renewed" : one.state}`]);
  }
  for (const one of provider.categories ?? []) {
    const lowest = Math.max(WELL, ...(one.limits ?? []).map(limitLevel));
    if (paused(one)) found.push([BAD, `${one.name} paused`]);
    else if (lowest) found.push([lowest, `${one.name} ${lowest === BAD ? "used up" : "nearly used"}`]);
    if (one.waiting) found.push([WATCH, many(one.waiting, "call waits", "calls wait")]);
  }
  if (provider.upstream?.state === "failing") found.push([BAD, "upstream failing"]);
  const failed = provider.calls?.last_minute_failed;
  if (failed) found.push([WATCH, `${many(failed, "call", "calls")} failed just now`]);
  found.sort((one, other) => other[0] - one[0]);
  const level = found.length ? found[0][0] : WELL;
  return { found, level, weight: level * 1000 + found.filter(([one]) => one === level).length };
}

function credentialLevel(one) {
  // A one-time password is asked for when a call needs it: to hold none is no trouble.
  if (!one.usable) return one.kind === "otp" && !one.trouble ? WELL : one.state === "obtaining" ? WATCH : BAD;
  return one.trouble ? WATCH : WELL;
}

const paused = (category) => known(category.pause) && left(category.pause) > 0;

function limitLevel({ remaining, limit }) {
  if (!known(remaining)) return WELL;
  return remaining <= 0 ? BAD : share(remaining, limit) < LOW_SHARE ? WATCH : WELL;
}

function drawProviders(judged) {
  const folds = judged.length > UNFOLDED_MAX;
  const wanted = folds ? place("filter-text").value.trim().toLowerCase() : "";
  const shown = judged.filter(({ provider }) => !wanted || findable(provider).includes(wanted))
    .sort((one, other) => other.weight - one.weight);
  place("filter").hidden = !folds;
  const all = count(judged.length);
  fill("filter-count", wanted ? `${count(shown.length)} of ${all}` : `${all} in all`);
  if (!shown.length) {
    const none = wanted ? "None has that in it." : "None is configured.";
    return fill("providers", h("p", { class: "quiet" }, none));
  }
  fill("providers", shown.map((one) => entry(one, !folds || one.level > WELL)));
}

/// Those that somebody unfolded. What is folded is not drawn: two hundred would be felt every second.
const unfolded = new Set();

function entry({ provider, found, level }, open) {
  return h("details", { key: provider.name, class: `entry ${LEVELS[level]}`, open: open ? "" : null },
    h("summary", {},
      mark(level), h("h3", {}, words(provider.name)),
      h("span", { class: "found" }, found.length
        ? found.map(([level, text]) => h("span", { class: LEVELS[level] }, words(text)))
        : h("span", { class: "well" }, "well")),
      h("span", { class: "glance" }, glance(provider))),
    open || unfolded.has(provider.name) ? [
      h("p", { class: "upstream" }, upstream(provider)),
      h("div", { class: "halves" },
        h("section", {}, h("h4", { class: "spoken" }, "Credentials"),
          listed(provider.credentials, credential, "No credentials: calls go as they came.")),
        h("section", {}, h("h4", { class: "spoken" }, "Quotas"),
          listed(provider.categories, category, "No quotas: calls pass uncounted."))),
    ] : null);
}

let unfolding = 0;

function unfold({ target }) {
  if (target.open) unfolded.add(target.key);
  else unfolded.delete(target.key);
  if (!target.open || target.children.length > 1) return;
  clearTimeout(unfolding);
  unfolding = setTimeout(draw);
}

const listed = (all, one, none) =>
  (all ?? []).length ? h("ul", {}, all.map(one)) : h("p", { class: "quiet" }, none);

/// What the filter looks in.
function findable({ name, route, upstream, credentials, categories }) {
  const parts = [...(credentials ?? []), ...(categories ?? [])].map((one) => one.name);
  return [name, route, upstream?.url, ...parts].join(" ").toLowerCase();
}

/// What a folded provider says: the next end, and the quota of which least is left.
function glance(provider) {
  const ends = (provider.credentials ?? []).map((one) => one.expires_in).filter(known).map(left);
  const shares = (provider.categories ?? []).flatMap((one) => one.limits ?? [])
    .filter((one) => known(one.remaining)).map((one) => share(one.remaining, one.limit));
  const next = Math.min(...ends);
  return [ends.length ? `ends in ${span(Math.ceil(next), next < 600 ? 2 : 1)}` : "does not end",
    shares.length ? `${Math.floor(Math.min(...shares) * 100)} % left` : "no limit",
    `${count(provider.calls?.last_minute ?? 0)}/min`].map((text) => h("span", {}, text));
}

function upstream({ route, upstream, calls }) {
  const { url, state, active, idle, since: from, last_success: good, last_failure: bad } = upstream ?? {};
  const failing = state === "failing";
  return [
    h("span", { class: "from" }, words(route), " → ", words(url)),
    h("span", {}, failing
      ? h("strong", { class: "bad" }, "failing", known(from) ? ` for ${span(since(from))}` : "")
      : state === "ok" ? "answers" : "not called yet", `, ${count(active)} active and ${count(idle)} idle`),
    h("span", {}, `${many(calls?.total ?? 0, "call", "calls")}, ${count(calls?.failed ?? 0)} failed`),
    bad ? h("span", { class: failing ? "now" : "past" }, "Last failure ", time(bad.at, ago(bad.at)), ": ",
      words(bad.kind, { class: "kind" }), " ", sentence(bad.words),
      failing ? (good ? ["Last success ", time(good, ago(good)), "."] : "No success yet.") : "") : null,
  ];
}

// ---- A credential: its life as a line from obtained to expires. Passed is thin, what is left is thick, and
// ---- paler from the moment of renewal on.

function credential(one) {
  const level = credentialLevel(one);
  const ends = known(one.expires_in);
  return h("li", { key: one.name, class: LEVELS[level] },
    h("p", { class: "line" },
      words(one.name, { class: "what" }),
      words(one.kind, { class: "tag" }),
      h("span", { class: "much" }, ends && one.usable ? ["ends in ", h("strong", {}, until(one.expires_in))]
        : one.usable ? h("span", { class: "quiet" }, "does not end")
          : level ? h("strong", { class: LEVELS[level] }, words(one.state))
            : h("span", { class: "quiet" }, "none held"))),
    ends && one.life > 0 ? life(one, level) : null,
    one.trouble ? h("p", { class: "trouble" }, sentence(one.trouble.words),
      one.trouble.count > 1 ? `${count(one.trouble.count)} times in a row. ` : "",
      known(one.trouble.retry_in) ? ["Next try in ", h("strong", {}, until(one.trouble.retry_in)), "."]
        : "It is not tried again by itself.") : null,
    renewals(one));
}

function life(one, level) {
  const at = 1 - share(left(one.expires_in), one.life);
  // Once it is due, nothing says any more when it was to be.
  const marked = one.usable && known(one.renews_in) && one.renews_in !== 0;
  const renews = marked ? 1 - share(one.expires_in - one.renews_in, one.life) : 1;
  const told = `${Math.round(at * 100)} % of its life has passed`
    + (marked ? `, it is renewed at ${Math.round(renews * 100)} %` : "");
  const bars = { at: percent(at), renews: percent(Math.max(at, renews)), mark: percent(renews) };
  return [
    h("div", { class: `life ${LEVELS[level]}`, role: "img", "aria-label": told, bars },
      h("span", { class: "margin" }), h("span", { class: "rest" }),
      marked ? h("span", { class: "renews" }) : null),
    h("p", { class: "ends" },
      h("span", {}, known(one.obtained) ? time(one.obtained, clock(one.obtained, 5)) : ""),
      h("span", {}, !known(one.renews_in) ? "" : left(one.renews_in) > 0 ? `renews in ${until(one.renews_in)}`
        : one.state === "renewing" ? "is being renewed" : "renewal is due"),
      h("span", {}, known(one.expires) ? time(one.expires, clock(one.expires, 5)) : "")),
  ];
}

const CAUSES = {
  due: "it was due", refused: "the provider refused the old one", asked: "somebody asked for it",
  secrets: "its secrets changed", absent: "there was none",
};

function renewals({ kind, last_renewal: last, renewals: sums, generation }) {
  const so = sums && sums.obtained + sums.failed > 0
    ? `${count(sums.obtained)} obtained, ${sums.failed ? count(sums.failed) : "none"} failed` : "";
  if (!last) return so || kind === "token" ? h("p", { class: "quiet" }, so || "Not renewed yet") : null;
  const failed = last.outcome === "failed";
  return h("p", { class: "quiet" },
    h("span", failed ? { class: "watch" } : {}, failed ? "Renewal failed " : last.outcome === "adopted"
      ? "Taken over from another process " : "Renewed ", time(last.at, ago(last.at))),
    last.cause in CAUSES ? ` because ${CAUSES[last.cause]}` : "", last.words ? [": ", words(last.words)] : "",
    so ? ` · ${so}` : "", known(generation) ? ` · generation ${count(generation)}` : "");
}

// ---- A quota: what is left of each limit.

function category(one) {
  const held = paused(one);
  const waits = one.waiting ? many(one.waiting, "call waits", "calls wait") : "";
  return h("li", { key: one.name },
    h("p", { class: "line" },
      words(one.name, { class: "what" }),
      h("span", { class: "tag" }, one.on_limit === "wait" ? "waits at the limit" : "refuses at the limit"),
      held ? h("span", { class: "much bad" }, "paused, ", h("strong", {}, until(one.pause)), " left") : null),
    held ? h("p", { class: "trouble" }, "The provider asked for it; nothing is sent until it ends.") : null,
    (one.limits ?? []).length ? one.limits.map(limit) : h("p", { class: "quiet" }, "No limit."),
    one.waiting || one.rejected ? h("p", { class: "quiet" },
      waits ? h("strong", { class: "watch" }, `${waits} in line. `) : "",
      one.rejected ? `${count(one.rejected)} refused since the start.` : "") : null);
}

function limit(one) {
  const level = limitLevel(one);
  const part = share(one.remaining, one.limit);
  return h("div", { key: one.text, class: `limit ${LEVELS[level]}` },
    h("div", { class: "quota", role: "img", bars: { share: percent(part) },
      "aria-label": known(one.remaining) ? `${Math.round(part * 100)} % left` : "not known" }),
    h("p", { class: "ends" },
      h("span", {}, known(one.remaining) ? [h("strong", {}, count(one.remaining)), " left"] : "not known",
        " of ", words(one.text)),
      h("span", {}, known(one.resets_in) && one.remaining < one.limit
        ? `resets in ${until(one.resets_in, one.resets_in < 600 ? 2 : 1)}` : "")));
}

// ---- The proxy: facts for whoever asks which one this is.

function facts() {
  const { started, configuration = {}, listeners, clients = {}, log = {}, state_store: store = {} } = status;
  const rows = {
    Version: [words(status.version), `, process ${status.pid}`],
    Running: known(started)
      ? [`for ${span(since(started))}, since `, time(started, `${clock(started)} UTC`)] : "",
    Configuration: loading(configuration),
    "Listens on": (listeners ?? []).map((one) => h("span", { class: "each" }, words(one))),
    Clients: [`${count(clients.active)} active, ${count(clients.idle)} idle`,
      clients.waiting ? `, ${many(clients.waiting, "call waits", "calls wait")} in line` : ""],
    Ledger: ledger(status.ledger ?? {}),
    State: [words(store.kind), store.directory ? [" in ", words(store.directory)] : ""],
    Log: [words(log.level), log.access ? ", a line per request" : ", no line per request",
      log.access && log.sample < 1 ? ` (${count(log.sample * 100)} % of those that went well)` : ""],
  };
  return Object.entries(rows).map(([name, text]) =>
    h("div", { key: name }, h("dt", {}, name), h("dd", {}, text)));
}

function loading({ loaded, reloads, last_reload: last }) {
  const outcome = last?.outcome === "failed" ? h("strong", { class: "bad" }, "failed") : words(last?.outcome);
  return [known(loaded) ? `loaded ${ago(loaded)}, ` : "", many(reloads ?? 0, "reload", "reloads"),
    last ? [", the last ", time(last.at, ago(last.at)), " ", outcome] : ""];
}

function ledger({ kind, shared, state }) {
  if (kind === "none") return "none, no provider has limits";
  return [words(kind), shared ? ", shared by replicas, " : ", ",
    state === "ok" ? "ok" : h("strong", { class: "bad" }, words(state))];
}

// ---- Clocks go while somebody looks.

function look() {
  if (document.hidden) {
    clearTimeout(timer);
    document.title = "Tollkey (asleep)";
  } else {
    ask();
  }
}

document.addEventListener("visibilitychange", look);
place("ask").addEventListener("click", ask);
place("filter-text").addEventListener("input", draw);
place("providers").addEventListener("toggle", unfold, true);
setInterval(() => document.hidden || draw(), 1000);
look();
