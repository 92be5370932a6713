// Keeps the page up to date. Without it the page works too, and is reloaded by hand.
"use strict";

const maxRows = 1000; // that stay on the page as new ones come
const $ = (id) => document.getElementById(id);
const log = $("log");
const parameters = new URLSearchParams(location.search);

// What the server renders is escaped there; the policy names the one place that accepts it.
const html = window.trustedTypes
	? trustedTypes.createPolicy("sigalert", { createHTML: (text) => text })
	: { createHTML: (text) => text };

function parse(text) {
	const template = document.createElement("template");
	template.innerHTML = html.createHTML(text);
	return template.content;
}

// Times: in the server's words, and exact ones in the reader's time zone.
const exact = new Intl.DateTimeFormat(undefined, {
	year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit",
	fractionalSecondDigits: 3, timeZoneName: "short",
});

function ago(at) {
	const seconds = Math.floor((Date.now() - at) / 1000);
	if (seconds < 1) return "now";
	if (seconds < 60) return `${seconds} s ago`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
	if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
	return `${Math.floor(seconds / 86400)} days ago`;
}

function tellExact(root) {
	for (const time of root.querySelectorAll("time")) {
		time.title = exact.format(new Date(time.dateTime));
		if (time.className === "exact") time.textContent = time.title;
	}
}

function tellAgo(root) {
	for (const time of root.querySelectorAll("time:not(.exact)")) {
		const text = ago(new Date(time.dateTime));
		if (time.textContent !== text && !selected(time)) time.textContent = text;
	}
}

// selected reports whether a selection includes part of the element.
function selected(element) {
	const selection = getSelection();
	return !selection.isCollapsed && selection.containsNode(element, true);
}

// The list. While somebody reads there, or has paused it, new rows wait, so that nothing moves.
let waiting = document.createDocumentFragment();
const paused = () => $("pause").ariaPressed === "true";

function reading() {
	return paused() || log.getBoundingClientRect().top < 0 || log.querySelector("details[open], :focus-visible") !== null || selected(log);
}

function addRows(text) {
	const rows = parse(text);
	for (const row of [...rows.children]) {
		if (row.id && ($(row.id) || waiting.getElementById(row.id))) row.remove();
	}
	tellExact(rows);
	tellNews(rows);
	waiting.prepend(rows);
	while (waiting.children.length > maxRows) waiting.lastElementChild.remove();
	settle();
}

function settle() {
	if (!reading()) showWaiting();
	const count = waiting.querySelectorAll("li[id]").length;
	$("fresh").hidden = count === 0;
	$("fresh").textContent = count === 1 ? "1 new event" : `${count.toLocaleString("en")} new events`;
}

function showWaiting() {
	if (waiting.children.length > 0) {
		for (const row of log.querySelectorAll(".new")) row.classList.remove("new");
		for (const row of waiting.children) row.classList.add("new");
		tellAgo(waiting);
		log.prepend(waiting);
	}
	trim();
	$("empty").hidden = log.children.length > 0;
}

// trim removes what the log no longer has, and what is too much for a page.
function trim() {
	const older = $("more").firstElementChild;
	const first = Number($("status").dataset.first);
	const number = (row) => Number(row?.id.slice(1));
	for (let row = log.lastElementChild; row; row = log.lastElementChild) {
		if (row.id ? number(row) >= first : number(row.previousElementSibling) > first) break;
		row.remove();
		older.hidden = true;
	}
	if (log.children.length <= maxRows) return;
	while (log.children.length > maxRows || !log.lastElementChild.id) log.lastElementChild.remove();
	const address = new URLSearchParams(parameters);
	address.set("before", log.lastElementChild.id.slice(1));
	older.href = "./?" + address;
	older.hidden = false;
}

// tellNews has a screen reader say what has come: at once, and then at most every ten seconds;
// after a pause, what has come meanwhile.
let untold = 0;
let newest = "";
let later = null;

function tellNews(rows) {
	const events = rows.querySelectorAll("li[id]:not(.presence)");
	if (events.length === 0) return;
	untold += events.length;
	newest = ["sender", "event"].map((name) => events[0].querySelector("." + name).textContent).join(" ");
	if (later === null) sayNews();
}

function sayNews() {
	later = null;
	if (untold === 0 || paused()) return;
	later = setTimeout(sayNews, 10000);
	$("news").textContent = untold === 1 ? `New: ${newest}` : `${untold} new events, the last: ${newest}`;
	untold = 0;
}

$("pause").addEventListener("click", () => {
	$("pause").ariaPressed = paused() ? "false" : "true";
	settleParts();
	settle();
	if (later === null) sayNews();
});

$("fresh").addEventListener("click", () => {
	showWaiting();
	settle();
	log.focus({ preventScroll: true });
	if (log.getBoundingClientRect().top < 0) log.scrollIntoView();
});

// What somebody has read, here or elsewhere. To fold a row out is to read it.
function tellRead(unread) {
	for (const root of [log, waiting]) {
		for (const row of root.querySelectorAll(".unread")) if (!unread.includes(row.dataset.unread)) read(row);
	}
}

function read(row) {
	row.classList.remove("unread");
	const focused = row.querySelector("form.mark")?.contains(document.activeElement);
	for (const mark of row.querySelectorAll(".mark")) mark.remove();
	if (focused) row.querySelector("summary").focus({ preventScroll: true });
}

log.addEventListener("toggle", ({ target }) => {
	if (target.open) target.closest("li").querySelector("form.mark")?.requestSubmit();
}, true);

// What is beside the list comes in parts; a part that is being pointed at or has a selection waits.
const parts = new Map();

function settleParts() {
	for (const [id, part] of parts) {
		const old = $(id);
		if (id === "chart" && paused() || old.querySelector("svg:hover") && matchMedia("(hover: hover)").matches || selected(old)) continue;
		parts.delete(id);
		if (!old.isEqualNode(part)) replace(old, part);
	}
	colour();
}

// replace keeps the focus where it is, or near where it was.
function replace(old, part) {
	const focused = old.contains(document.activeElement) ? document.activeElement : null;
	const name = (control) => control.getAttribute("aria-label") ?? control.textContent;
	old.replaceWith(part);
	if (!focused) return;
	const same = [...part.querySelectorAll("a, button")].find((control) => name(control) === name(focused));
	(same ?? part).focus({ preventScroll: true });
}

// colour gives the senders in the list the colours that they have in the chart.
let colours = "";

function colour() {
	const legend = [...document.querySelectorAll(".legend li:has(a)")].map((item) => [item.querySelector("bdi").textContent, item.className]);
	if (colours === (colours = JSON.stringify(legend))) return;
	const of = new Map(legend);
	for (const sender of log.querySelectorAll(".sender")) sender.className = `sender ${of.get(sender.textContent) ?? ""}`.trim();
}

// The stream, while the page is visible: a browser has six connections for all its pages of one log.
let stream = null;
let since = document.body.dataset.since;

function follow() {
	const address = new URLSearchParams({ fmt: "html", since });
	for (const name of ["sender", "event", "q", "outcome"]) if (parameters.has(name)) address.set(name, parameters.get(name));
	stream = new EventSource("api/stream?" + address);
	stream.onopen = () => tellLive("Live", "on");
	stream.onerror = async () => {
		const refused = stream.readyState === EventSource.CLOSED;
		if (refused) setTimeout(again, 3000);
		tellLive("The log is not answering; trying again", "off");
		if (refused && await answers()) tellLive("Too many pages are following the log; trying again", "off");
	};
	stream.addEventListener("rows", (message) => {
		since = message.lastEventId;
		addRows(message.data);
	});
	stream.addEventListener("side", (message) => {
		for (const part of [...parse(message.data).children]) parts.set(part.id, part);
		tellRead(parts.get("status").dataset.unread.split(" "));
		settleParts();
		settle();
	});
	stream.addEventListener("cleared", () => {
		waiting.replaceChildren();
		log.replaceChildren();
		$("more").firstElementChild.hidden = true;
		settle();
	});
}

// answers reports whether the log answers, as an EventSource does not say why it was refused.
async function answers() {
	try {
		const response = await fetch("api/events?limit=1");
		if (response.status === 401) logIn();
		return response.ok;
	} catch {
		return false;
	}
}

// logIn opens the login form. The address may have a token, which opens this page and nothing else.
function logIn() {
	location.replace("./");
}

function again() {
	if (document.hidden) return;
	stream?.close();
	follow();
}

function tellLive(text, state) {
	$("live").textContent = text;
	$("live").className = state;
}

// Changes, without leaving the page.
document.addEventListener("submit", async (submission) => {
	const form = submission.target;
	if (!form.classList.contains("change")) return;
	submission.preventDefault();
	if (form.ariaBusy === "true") return;
	form.ariaBusy = "true";
	const row = form.classList.contains("mark") ? form.closest("li") : null; // the form may be gone when the answer comes
	try {
		const response = await fetch(form.action, {
			method: "POST",
			headers: { Accept: "application/json" },
			body: new URLSearchParams(new FormData(form)),
		});
		if (response.status === 401) return logIn();
		const answer = await response.json();
		if (row && response.ok) return read(row);
		say(answer.error ?? answer.text ?? "saved", !response.ok);
		if (response.ok && form.getAttribute("action") === "add") form.reset();
		if (response.ok) form.closest("details")?.removeAttribute("open");
	} catch {
		say("the log is not answering", true);
	}
	form.ariaBusy = null;
});

let hush;

function say(text, failed) {
	const said = $("said");
	clearTimeout(hush);
	said.textContent = text.charAt(0).toUpperCase() + text.slice(1) + ".";
	said.className = failed ? "trouble" : "";
	if (!said.matches(":popover-open")) said.showPopover();
	if (!failed) hush = setTimeout(() => said.hidePopover(), 6000);
}

// A filter that is empty need not be in the address.
$("filter").addEventListener("formdata", ({ formData }) => {
	for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

// "/" moves the focus to the filter, and Escape folds in what it is in.
document.addEventListener("keydown", (key) => {
	const fold = key.key === "Escape" && !key.isComposing && !$("said").matches(":popover-open") && key.target.closest?.("details[open]");
	if (fold) {
		fold.open = false;
		fold.querySelector("summary").focus();
	}
	if (key.key !== "/" || key.ctrlKey || key.metaKey || key.altKey || key.target.closest?.("input, select, textarea")) return;
	key.preventDefault();
	$("filter").elements.q.select();
});

tellExact(document);
setInterval(() => {
	tellAgo(log);
	settleParts();
	settle();
}, 5000);
if (parameters.has("before")) {
	$("live").hidden = true;
} else {
	$("pause").hidden = false;
	document.addEventListener("visibilitychange", () => document.hidden ? stream?.close() : again());
	if (!document.hidden) follow();
}
