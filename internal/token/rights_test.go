package token_test

import (
	"strings"
	"testing"

	"sigalert/internal/token"
	"sigalert/sig"
)

func rights(t testing.TB, listen, send string) (r token.Rights) {
	t.Helper()
	parse := func(all string) (rights []token.Right) {
		for _, text := range strings.Fields(all) {
			right, err := token.ParseRight(text)
			if err != nil {
				t.Fatal(err)
			}
			rights = append(rights, right)
		}
		return rights
	}
	return token.Rights{Listen: parse(listen), Send: parse(send)}
}

// What a token may do: its rights by every action. + is allowed, - is not; the actions
// are hear, listen, publish, connect, ask and see.
func TestMay(t *testing.T) {
	for _, tc := range []struct {
		listen, send  string
		sender, event sig.Name
		want          string
	}{
		{"", "", "backup", "done", "------"},
		{"", "", "", "", "------"},
		{"*", "*", "backup", "done", "++++++"},
		{"*", "*", "backup", "", "++++++"},
		{"*", "", "backup", "done", "++--++"},
		{"", "*", "backup", "done", "--++-+"},
		{"*", "", sig.Number(5), "done", "++--++"},

		// A whole sender.
		{"backup", "backup", "backup", "done", "++++++"},
		{"backup", "backup", "backup", "", "++++++"},
		{"backup", "backup", "backup", sig.EventConnect, "++++++"},
		{"backup/*", "backup/*", "backup", "", "++++++"},
		{"backup", "backup", "Backup", "done", "------"},
		{"backup", "backup", "backup2", "done", "------"},
		{"backup", "backup", "backup", "#notify", "++++++"},

		// One event of it: neither its name nor its requests nor its presence.
		{"backup/done", "backup/done", "backup", "done", "+++--+"},
		{"backup/done", "backup/done", "backup", "failed", "------"},
		{"backup/done", "backup/done", "backup", "", "-+---+"}, // every event: to listen is allowed, and done is heard
		{"backup/done", "backup/done", "backup", sig.EventConnect, "------"},
		{"backup/done", "", "backup", "done", "++---+"},
		{"", "backup/done", "backup", "done", "--+--+"},

		// Globs.
		{"door-*", "door-?", "door-1", "ring", "++++++"},
		{"door-*", "door-?", "door-10", "ring", "++--++"},
		{"door-*", "door-?", "door", "ring", "------"},
		{"door-*/r*", "", "door-1", "ring", "++---+"},
		{"door-*/r*", "", "door-1", "open", "------"},

		// A channel: of any sender.
		{"#notify", "#notify", "anybody", "#notify", "+++--+"},
		{"#notify", "#notify", "", "#notify", "+++--+"},
		{"#notify", "#notify", "anybody", "#other", "------"},
		{"#notify", "#notify", "anybody", "", "-+----"}, // a channel does not show who is there
		{"ntfy/#alerts", "", "ntfy", "#alerts", "++---+"},
		{"ntfy/#alerts", "", "other", "#alerts", "------"},

		// To listen to more than it may hear.
		{"backup/done", "", "", "", "-+---+"},
		{"backup/done", "", "", "done", "-+---+"},
		{"backup/done", "", "", "failed", "------"},

		// Numbers, however they are spelled, and texts.
		{"5", "", sig.Number(5), "x", "++--++"},
		{"5", "", "\x005.0", "x", "++--++"},
		{"5", "", "5", "x", "++--++"},
		{`"5"`, "", sig.Number(5), "x", "------"},
		{"[0-9]", "", sig.Number(5), "x", "------"}, // globs are for texts
		{"1", "", "\x00true", "x", "++--++"},

		// Slashes within names.
		{`a\/b`, "", "a/b", "x", "++--++"},
		{`a\/b/c\/d`, "", "a/b", "c/d", "++---+"},
		{`a/b/c`, "", "a", "b/c", "++---+"},

		// Several rights.
		{"backup/done door", "door", "door", "ring", "++++++"},
		{"backup/done door", "door", "backup", "done", "++---+"},
	} {
		r, got := rights(t, tc.listen, tc.send), ""
		for _, do := range []sig.Action{sig.ToHear, sig.ToListen, sig.ToPublish, sig.ToConnect, sig.ToAsk, sig.ToSee} {
			if r.May(do, tc.sender, tc.event) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != tc.want {
			t.Errorf("listen %q, send %q: sender %q, event %q: %s, want %s", tc.listen, tc.send, tc.sender, tc.event, got, tc.want)
		}
	}
}

// To administer is a right of its own, and gives no other.
func TestAdmin(t *testing.T) {
	all, boss := rights(t, "*", "*"), token.Rights{Admin: true}
	if all.May(sig.ToAdminister, "", "") || !boss.May(sig.ToAdminister, "", "") {
		t.Error("who may administer is not who was given the right")
	}
	for _, do := range []sig.Action{sig.ToHear, sig.ToListen, sig.ToPublish, sig.ToConnect, sig.ToAsk, sig.ToSee} {
		if boss.May(do, "", "") || boss.May(do, "s", "e") {
			t.Errorf("it gives the right %d, too", do)
		}
	}
}

func TestParseRight(t *testing.T) {
	for _, text := range []string{"", "/", "a/", "/a", "a[", "a/[", `a[b-a]`} {
		if r, err := token.ParseRight(text); err == nil {
			t.Errorf("%q: %v", text, r)
		}
	}
}
