package rawjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sigalert/internal/rawjson"
)

func TestMembers(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                 ``,
		` { } `:                              ``,
		`[{"a": 1}]`:                         ``,
		`"{"`:                                ``,
		`{"a":1}`:                            `a=1;`,
		` { "a" : 1 , "b" : [1, "]"] } `:     `a=1;b=[1, "]"];`,
		`{"a":{"b":"}"},"c":"\"}","d":true}`: `a={"b":"}"};c="\"}";d=true;`,
		`{"b":1,"a":2,"b":3}`:                `b=1;a=2;b=3;`,
		`{"\u0061\"":null,"ä":-1.5e3}`:       `a"=null;ä=-1.5e3;`,
		`{"":""}`:                            `="";`,
	} {
		var got strings.Builder
		for o := rawjson.Members([]byte(text)); o.Next(); {
			fmt.Fprintf(&got, "%s=%s;", o.Key, o.Value)
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", text, &got, want)
		}
	}
}

// FuzzRead compares with encoding/json.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		` { "a" : [ 1 , "\\" ] , "b\u00e4" : "\ud83d\ude00" , "c" : { } } `, `"\ud800\u0041\ud800"`, `"\b\f\n\r\t\/\\\""`, "\"\xff\xfe\"", `{"a`, `{"a"`, `{"a":`, `"\u12`, `"\`, `"`, `{"":}`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		compact := rawjson.Compact(text)
		got := make(map[string]json.RawMessage)
		for o := rawjson.Members(text); o.Next(); {
			got[string(o.Key)] = o.Value
		}
		rawjson.Unquote(text)
		if !json.Valid(text) { // nothing is expected but that it ends
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, text); err != nil || !bytes.Equal(compact, want.Bytes()) {
			t.Errorf("compact: %s, want %s (%v)", compact, &want, err)
		}
		switch trimmed := bytes.TrimSpace(text); trimmed[0] {
		case '{':
			members := make(map[string]json.RawMessage)
			if err := json.Unmarshal(text, &members); err != nil || !reflect.DeepEqual(got, members) {
				t.Errorf("members: %s, want %s (%v)", got, members, err)
			}
		case '"':
			var want string
			s, _ := rawjson.Unquote(trimmed)
			if err := json.Unmarshal(text, &want); err != nil || string(s) != want {
				t.Errorf("text: %q, want %q (%v)", s, want, err)
			}
		}
	})
}
