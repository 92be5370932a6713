//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/sig"
)

// The chart has the last hour, and each sender one colour wherever it is. It is
// also the picture of the documentation.
func pageShowsHour(t *testing.T, b *browser) {
	h := newHome(t)
	store := filepath.Join(h.dir, "log.db")
	writeHour(t, store)
	l := newLog(t, "--store", store, "--limit", "100000", "--subscribe", "build-server:", "--subscribe", "thermostat:temperature",
		"--subscribe", "mail:new", "--subscribe", ":#notify")
	p := b.newTab(t)
	p.visit(t, l.url+"?limit=12")
	p.until(t, "the page is live", `live.textContent === "Live" && document.querySelectorAll("#subscriptions .on").length === 4`)
	senders := evaluate[map[string][]string](t, p, `Object.groupBy([...document.querySelectorAll(".legend li, .sender")].map((e) =>
		e.querySelector("bdi").textContent + " " + getComputedStyle(e, "::before").backgroundColor), (s) => s)`)
	if len(senders) != 4 {
		t.Errorf("four senders are shown as %v", slices.Collect(maps.Keys(senders)))
	}
	if got := evaluate[string](t, p, `document.querySelector("figcaption").textContent`); !strings.HasSuffix(got, " events in the last hour, at most 10 in a minute") {
		t.Errorf("the chart is of %s", got)
	}
	p.calm(t, l.url)

	evaluate[bool](t, p, `document.querySelector(".state").textContent = "Connected to 127.0.0.1:3000", true`)
	for _, scheme := range []string{"light", "dark"} {
		p.look(t, 1200, 800, scheme)
		p.picture(t, "log-"+scheme+".png")
	}
}

// writeHour makes a log of the last hour.
func writeHour(t testing.TB, path string) {
	t.Helper()
	log, err := eventlog.Open(&eventlog.Options{Path: path, Limit: 1000})
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan struct{})
	go func() {
		defer close(written)
		log.Run(ctx)
	}()
	now := time.Now()
	add := func(ago time.Duration, sender, event, data string) {
		check(t, log.Add(ctx, eventlog.Entry{Time: now.Add(-ago), Sender: sig.Name(sender), Event: sig.Name(event), Data: json.RawMessage(data)}))
	}
	for minute := 59; minute > 4; minute-- {
		ago := time.Duration(minute) * time.Minute
		for n := range 1 + minute%3 {
			add(ago, "thermostat", "temperature", fmt.Sprintf(`{"room":"kitchen","celsius":%d.%d}`, 20+n, minute%10))
		}
		if minute%7 < 2 {
			add(ago, "build-server", "finished", fmt.Sprintf(`{"branch":"main","build":%d,"result":"passed"}`, 4200-minute))
		}
		if minute%11 == 3 {
			add(ago, "mail", "new", `{"from":"Ben","subject":"Weekly report"}`)
		}
		if minute == 35 {
			for n := range 6 {
				add(ago, "backup", "progress", fmt.Sprintf(`{"done":%d,"of":6}`, n+1))
			}
		}
	}
	for _, e := range []struct {
		ago                 time.Duration
		sender, event, data string
	}{
		{252 * time.Second, "thermostat", "temperature", `{"room":"hall","celsius":19.2}`},
		{215 * time.Second, "mail", "new", `{"from":"ליאור","subject":"הפגישה מחר בעשר, ליד הספרייה החדשה ברחוב הנהר. אפשר להביא גם את הילדים"}`},
		{190 * time.Second, "build-server", "finished", `{"branch":"main","build":4199,"result":"passed"}`},
		{164 * time.Second, "backup", "started", `null`},
		{125 * time.Second, "mail", "new", `{"from":"Ada","subject":"Lunch? The new place by the river has a table for six at noon"}`},
		{98 * time.Second, "thermostat", "temperature", `{"room":"kitchen","celsius":21.4}`},
		{71 * time.Second, "build-server", "queued", `{"branch":"event-log","build":4200}`},
		{52 * time.Second, "backup", "finished", `{"files":18342,"bytes":7301244928,"took":"1m52s"}`},
		{40 * time.Second, "mail", "new", `{"from":"ليلى","subject":"مرحبا! هل نلتقي غدا؟"}`},
		{26 * time.Second, "build-server", "failed", `{"branch":"event-log","build":4200,"result":"failed","tests":["TestPage","TestStream"]}`},
		{14 * time.Second, "thermostat", "temperature", `{"room":"kitchen","celsius":21.6}`},
		{5 * time.Second, "build-server", "message", `"Build 4200 is being tried again, as the machine was out of disk space"`},
	} {
		add(e.ago, e.sender, e.event, e.data)
	}
	cancel()
	<-written
	check(t, log.Close())
}
