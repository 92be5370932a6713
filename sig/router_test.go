package sig_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sigalert/sig"
	"sigalert/sig/sigtest"
)

func TestTriggerCallsInPysigsOrder(t *testing.T) {
	r := new(sig.Router)
	s, err := r.AddSender("clock", "chime", "#notify")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	hear := func(who string) func(sig.Event) {
		return func(sig.Event) { got = append(got, who) }
	}
	for _, l := range []struct {
		sender, event sig.Name
		who           string
	}{
		{"clock", "#notify", "specific 1"}, {"", "#notify", "channel"}, {"clock", "", "sender"},
		{"", "", "router"}, {"clock", "#notify", "specific 2"}, {"clock", "chime", "another event"},
		{"other", "", "another sender"}, {"", "chime", "event of any sender"},
	} {
		if _, err := r.AddListener(l.sender, l.event, hear(l.who)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Trigger("#notify", nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"router", "sender", "channel", "specific 1", "specific 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = nil
	if err := s.Trigger("chime", nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"router", "sender", "event of any sender", "another event"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = nil
	if err := s.Trigger("", nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"router", "sender"}; !slices.Equal(got, want) {
		t.Errorf("the broadcast: got %q, want %q", got, want)
	}
}

func TestConnectAndDisconnectTellWhatIsOffered(t *testing.T) {
	r := new(sig.Router)
	rec := sigtest.NewRecorder()
	for _, e := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
		if _, err := r.AddListener("clock", e, rec.Listen); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.AddSender("clock", "chime", "chime", sig.Number(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RemoveSender(s); err != nil {
		t.Fatal(err)
	}
	rec.Expect(t,
		`clock: #connect {"requests":null,"events":["chime",1,"#disconnect","#connect"]}`,
		`clock: #disconnect {"requests":null,"events":["chime",1,"#disconnect","#connect"]}`)
	if err := s.Trigger("chime", nil); !errors.Is(err, sig.ErrNotOffered) && !errors.Is(err, sig.ErrNotConnected) {
		t.Errorf("a removed sender triggers: %v", err)
	}
	if err := r.RemoveSender(s); !errors.Is(err, sig.ErrNotConnected) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestListenersOutliveTheirSender(t *testing.T) {
	r := new(sig.Router)
	rec := sigtest.NewRecorder()
	kept, err := r.AddListener("clock", "chime", rec.Listen)
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := r.AddListener("clock", "alarm", rec.Listen)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		s, err := r.AddSender("clock", "chime")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Trigger("chime", i); err != nil {
			t.Fatal(err)
		}
		if err := r.RemoveSender(s); err != nil {
			t.Fatal(err)
		}
	}
	rec.Expect(t, "clock: chime 0", "clock: chime 1")
	if err := r.RemoveListener(dropped); err == nil {
		t.Error("a listener for an event that its sender came without is still there")
	}
	if err := r.RemoveListener(kept); err != nil {
		t.Error(err)
	}
	if _, err := r.AddSender("clock", "alarm"); err != nil {
		t.Fatal(err)
	}
	if err := r.Sender("clock").Trigger("alarm", nil); err != nil {
		t.Fatal(err)
	}
	rec.ExpectNone(t)
}

func TestRouterRefuses(t *testing.T) {
	r := new(sig.Router)
	if _, err := r.AddSender("clock", "chime"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddSender("clock"); !errors.Is(err, sig.ErrAlreadyConnected) {
		t.Errorf("a name taken twice: %v", err)
	}
	if _, err := r.AddSender(""); err == nil {
		t.Error("a sender without a name")
	}
	if _, err := r.AddListener("clock", "alarm", func(sig.Event) {}); !errors.Is(err, sig.ErrNotOffered) {
		t.Errorf("an event that is not offered: %v", err)
	}
	if r.Sender("nobody") != nil {
		t.Error("found nobody")
	}
}

// A listener may change the router from within its callback.
func TestListenerRemovedDuringTrigger(t *testing.T) {
	r := new(sig.Router)
	s, err := r.AddSender("clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	var first, second *sig.Listener
	first, _ = r.AddListener("clock", "chime", func(sig.Event) {
		calls++
		_ = r.RemoveListener(first)
		_ = r.RemoveListener(second)
	})
	second, _ = r.AddListener("clock", "chime", func(sig.Event) { t.Error("called after its removal") })
	if _, err = r.AddListener("clock", "chime", func(sig.Event) { calls++ }); err != nil {
		t.Fatal(err)
	}
	if err := s.Trigger("chime", nil); err != nil {
		t.Fatal(err)
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2: the listener behind a removed one must not miss the event", calls)
	}
}

func TestNamesCompareAsInPython(t *testing.T) {
	parse := func(text string) sig.Name {
		n, err := sig.ParseName([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return n
	}
	same := [][]string{
		{`1`, `1.0`, `true`, `1e0`, `10E-1`}, {`0`, `-0`, `0.0`, `-0.0`, `false`},
		{`1e22`, `10000000000000000000000`}, {`"a"`, `"\u0061"`}, {`1e400`, `Infinity`}, {`null`},
		{`"5"`}, {`5`}, {`0.1`}, {`""`}, {`"\u0000"`}, {`"\ud800"`}, {`"\ude00\ud83d"`}, {`"\ud83d\ud83d\ude00"`}, {`"😀"`, `"\ud83d\uDE00"`}, {`"�"`, `"\ufffd"`}, {`"\\ud800"`}, {`9007199254740993`}, {`9007199254740992`, `9007199254740992.0`},
	}
	for i, group := range same {
		for j, other := range same {
			for _, a := range group {
				for _, b := range other {
					if got := parse(a).Equal(parse(b)); got != (i == j) {
						t.Errorf("%s equals %s: %v", a, b, got)
					}
				}
			}
		}
	}
	for _, text := range []string{`1`, `1.50`, `true`, `null`, `"a\"b"`, `"\ud800"`, `""`, `NaN`, `1e400`} {
		if got := parse(text).JSON(); string(got) != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
	for _, text := range []string{`{}`, `[1]`, `nope`, ``, `"a`} {
		if n, err := sig.ParseName([]byte(text)); err == nil {
			t.Errorf("%q is the name %q", text, n)
		}
	}
	if sig.Number(2).String() != "2" || !sig.Number(1).Equal(parse("true")) {
		t.Error("Number")
	}
}

// People count a name's length without the quotation marks of its JSON text.
func TestNameLength(t *testing.T) {
	router := new(sig.Router)
	const umlauts = 512 // of two bytes each
	for _, letters := range []string{strings.Repeat("n", 1024), strings.Repeat("ü", umlauts)} {
		n, err := sig.ParseName([]byte(`"` + letters + `"`))
		if _, added := router.AddSender(n); err != nil || added != nil {
			t.Errorf("a name of %d bytes: %v, %v", len(n), err, added)
		}
		const want = "a name of 1025 bytes: at most 1024 are allowed"
		if _, err := sig.ParseName([]byte(`"` + letters + `x"`)); err == nil || err.Error() != want {
			t.Errorf("one that is longer: %v", err)
		}
		if _, err := router.AddSender(sig.Name(letters + "x")); !errors.Is(err, sig.ErrTooLarge) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("one that is longer: %v", err)
		}
	}
}
