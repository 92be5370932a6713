// Keeps the page up to date. Without it the page works too, and is reloaded by hand.
"use strict";

const mostRows = 1000; // that stay on the page as new ones come
const log = document.getElementById("log");
const live = document.getElementById("live");
const said = document.getElementById("said");
const parameters = new URLSearchParams(location.search);

// What the server renders is escaped there; the policy names the one place that takes it.
const html = window.trustedTypes
	? trustedTypes.createPolicy("sigalert", { createHTML: (text) => text })
	: { createHTML: (text) => text };

function parse(text) {
	const template = document.createElement("template");
	template.innerHTML = html.createHTML(text);
	return template.content;
}

// Times: relative, in the reader's words, and exact in the reader's zone.
const relative = new Intl.RelativeTimeFormat(undefined, { style: "narrow", numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function tellTime(element) {
	const at = new Date(element.dateTime);
	const seconds = Math.max(0, (Date.now() - at) / 1000);
	const [unit, size] = units.find(([, size]) => seconds >= size) ?? units.at(-1);
	const text = relative.format(-Math.floor(seconds / size), unit);
	if (element.textContent !== text) element.textContent = text;
	element.title = exact.format(at);
}

function tellTimes(root) {
	root.querySelectorAll("time").forEach(tellTime);
}

function addRows(text) {
	const rows = parse(text);
	for (const row of [...rows.children]) {
		if (document.getElementById(row.id)) row.remove();
		else row.classList.add("new");
	}
	tellTimes(rows);
	log.prepend(rows);
	while (log.children.length > mostRows) log.lastElementChild.remove();
	document.getElementById("empty").hidden = log.children.length > 0;
}

function replaceSide(text) {
	const side = document.getElementById("side");
	const focused = side.contains(document.activeElement) ? document.activeElement : null;
	const label = focused && (focused.getAttribute("aria-label") ?? focused.textContent);
	side.replaceChildren(parse(text));
	if (!focused) return;
	for (const candidate of side.querySelectorAll("a, button")) {
		if ((candidate.getAttribute("aria-label") ?? candidate.textContent) === label) candidate.focus();
	}
}

// The stream, while the page is seen: a browser has six connections for all its pages of one log.
let stream = null;
let since = document.body.dataset.since;

function follow() {
	const address = new URLSearchParams(parameters);
	address.set("fmt", "html");
	address.set("since", since);
	stream = new EventSource("/api/stream?" + address);
	stream.onopen = () => tellLive("Live", "on");
	stream.onerror = () => {
		if (stream.readyState === EventSource.CLOSED) setTimeout(again, 3000);
		tellLive("The log does not answer, trying again", "off");
	};
	stream.addEventListener("rows", (message) => {
		since = message.lastEventId;
		addRows(message.data);
	});
	stream.addEventListener("side", (message) => replaceSide(message.data));
	stream.addEventListener("cleared", () => {
		log.replaceChildren();
		document.getElementById("more").replaceChildren();
		document.getElementById("empty").hidden = false;
	});
}

function again() {
	if (document.hidden) return;
	stream?.close();
	follow();
}

function tellLive(text, state) {
	live.textContent = text;
	live.className = state;
}

document.addEventListener("visibilitychange", () => {
	if (parameters.has("before")) return;
	if (document.hidden) stream?.close();
	else again();
});

// Changes, without leaving the page.
document.addEventListener("submit", async (submission) => {
	const form = submission.target;
	if (!form.classList.contains("change")) return;
	submission.preventDefault();
	if (form.id === "clear" && !confirm("Remove all events from the log?")) return;
	let text = "The log does not answer.";
	let failed = true;
	try {
		const response = await fetch(form.action, {
			method: "POST",
			headers: { Accept: "application/json" },
			body: new URLSearchParams(new FormData(form)),
		});
		const answer = await response.json();
		failed = !response.ok;
		text = answer.error ?? answer.text ?? "Done.";
		if (response.ok && form.getAttribute("action") === "/add") form.reset();
	} catch { /* said below */ }
	said.textContent = text;
	said.className = failed ? "trouble" : "";
	said.hidden = false;
});

// "/" leads to the filter.
document.addEventListener("keydown", (key) => {
	if (key.key !== "/" || key.ctrlKey || key.metaKey || key.altKey || key.target.closest("input, textarea")) return;
	key.preventDefault();
	document.querySelector('#filter input[name="q"]').focus();
});

// A filter that is empty need not be in the address.
document.getElementById("filter").addEventListener("submit", (submission) => {
	for (const input of submission.target.querySelectorAll("input")) input.disabled = input.value === "";
});
window.addEventListener("pageshow", () => {
	for (const input of document.querySelectorAll("#filter input")) input.disabled = false;
});

tellTimes(document);
setInterval(() => tellTimes(document), 5000);
if (parameters.has("before")) live.textContent = "";
else if (!document.hidden) follow();
