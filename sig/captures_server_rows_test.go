package sig_test

import (
	"fmt"
	"strings"

	"sigalert/sig"
)

const (
	ownText    = "our own text, where pysig leaks a Python error"
	anyInput   = "read whole, however it was split or joined"
	itsOwn     = "a stranger does not signal as another's sender"
	noRest     = "a request that failed leaves nothing behind"
	tooLong    = "over 4,096 bytes, which no pysig client can read"
	oneAtATime = "a pysig client has one unanswered signal at a time"
)

func notAName(what, id string) difference {
	return difference{ownText, []string{`{"status": -2, "exception": "\"` + what + `\" cannot be a name: a name is a string, a number, true, false or null", "id": ` + id + `}`}}
}

// firstSenders is the answer that has the first of recording 25's senders.
func firstSenders(n int) string {
	var senders []string
	for i := range n {
		senders = append(senders, fmt.Sprintf(`{"connected": true, "sender": "sender-number-%04d", "events": [{"event": "a"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]}`, i))
	}
	return fmt.Sprintf(`{"status": 0, "id": 1, "response": [%s]}`, strings.Join(senders, ", "))
}

func refused(text, id string) []string {
	return []string{fmt.Sprintf(`{"status": -2, "exception": %q, "id": %s}`, text, id)}
}

// version is what get_version returns.
func version(id string) string { return `{"status": 0, "id": ` + id + `, "response": "1.01"}` }

// xs is a string of n letters, as JSON.
func xs(n int) string { return `"` + strings.Repeat("x", n) + `"` }

func serverRows() []serverRow {
	rows := []serverRow{
		{name: "01_connect_and_clean_disconnect"},
		{name: "02_get_version"},
		{
			name:   "03_list_senders",
			offers: map[sig.Name][]sig.Name{"timer": {"tick", "tock", "#notify"}},
		},
		{name: "04_add_listener_kinds"},
		{name: "05_signal_delivery_from_server_local_sender", before: map[string]func(*serverReplay){
			"listener signal 1": tick(`{"n": 1}`),
			"listener signal 2": tick(`null`),
			"listener signal 3": tick(`"text"`),
			"listener signal 4": tick(`5`),
			"listener signal 5": tick(`1.5`),
			"listener signal 6": tick(`[1, [2]]`),
			"listener signal 7": tick(`true`),
			"listener signal 8": tick(`{}`),
		}},
		{name: "06_add_sender_and_signal"},
		{name: "07_remove_listener", before: map[string]func(*serverReplay){
			"client signal 1": tick(`1`),
			"client signal 4": tick(`2`),
		}},
		{name: "08_remove_sender"},
		{name: "10_error_replies_raw", differs: rawErrors},
		{name: "12_nonstring_identifiers", differs: map[string]difference{
			"listener signal 7": {itsOwn, nil},
			"raw reply 1":       {itsOwn, refused("sender 5.0 belongs to another client", "1")},
		}},
		{name: "13_unicode_and_none"},
		{
			name:   "14_order_of_delivery_a_subscribed_specific_first",
			offers: map[sig.Name][]sig.Name{"timer": {"#n"}},
			before: map[string]func(*serverReplay){
				"listener signal 1":  trigger("#n", `1`),
				"listener signal 9":  trigger("", `2`),
				"listener signal 15": trigger("#n", `3`),
			},
			differs: map[string]difference{
				"listener signal 13": {"a sender's broadcast is heard once", nil},
				"listener signal 14": {"a sender's broadcast is heard once", nil},
			},
		},
		{name: "15_duplicate_listener_and_unknown_event", before: map[string]func(*serverReplay){
			"listener signal 1": tick(`1`),
			"listener signal 3": tick(`2`),
		}},
		{name: "17_server_ids_vs_client_ids", before: map[string]func(*serverReplay){
			"client signal 1":                 tick(`0`),
			"client signal 2":                 tick(`1`),
			"client signal 3":                 tick(`2`),
			"client_after_reconnect signal 1": tick(`"after"`),
		}},
		{name: "18_self_delivery_deadlock"}, // for pysig's client, 10 s
		{name: "19_self_connect_event_deadlock"},
		{name: "21_rpc_from_inside_callback", before: map[string]func(*serverReplay){"client signal 1": tick(`1`)}},
		{name: "22_listener_callback_raises", before: map[string]func(*serverReplay){
			"client signal 1": tick(`1`),
			"client signal 2": tick(`2`),
		}},
		{
			name: "24_large_s2c_signal",
			before: map[string]func(*serverReplay){
				"listener signal 1": tick(xs(3900)),
				"listener signal 2": tick(xs(3980)),
				"listener signal 3": tick(xs(4100)),
				"listener signal 4": tick(xs(8000)),
			},
			differs: map[string]difference{
				"listener signal 2": {tooLong, nil},
				"listener signal 3": {tooLong, nil},
				"listener signal 4": {tooLong, nil},
			},
			after: drops(3),
		},
		{
			name: "25_large_s2c_reply_list_senders",
			prepare: func(r *serverReplay) {
				for i := range 121 {
					name, event := sig.Name(fmt.Sprintf("sender-number-%04d", i)), sig.Name("a")
					if i == 120 {
						name, event = "timer", "tick"
					}
					if _, err := r.server.AddSender(name, event); err != nil {
						r.Fatal(err)
					}
				}
			},
			differs: map[string]difference{"client reply 1": {"what is over 4,096 bytes is left out", []string{firstSenders(30)}}},
		},
		{name: "27_split_request_at_server", differs: map[string]difference{
			"raw reply 2": {anyInput, []string{version("1"), version("2")}},
		}},
		{name: "30_duplicate_and_bad_replies_at_server", before: map[string]func(*serverReplay){
			"raw signal 1": tick(`1`),
			"raw signal 2": tick(`1`),
			"raw signal 3": tick(`1`),
			"raw signal 4": tick(`1`),
			// "4" is not a reply to 4. pysig waits 10 s for one, and so would ours.
			"raw signal 5": inOrder(says("raw", `{"status": 0, "id": 4}`), tick(`1`)),
			"raw signal 6": tick(`1`),
			"raw signal 7": tick(`1`),
		}},
		{name: "32_disconnect__client_halfclose", after: frees("rawsnd")},
		{name: "32_disconnect__client_kill9", after: frees("clock")},
		{name: "32_disconnect__client_rst", after: inOrder(resets("raw"), frees("rawsnd"))},
		{name: "32_disconnect__server_kill9", after: stops},
		{name: "32_disconnect__server_stop", after: stops},
		{
			name: "37_client_never_replies",
			before: map[string]func(*serverReplay){
				"A_mute signal 1": tick(`1`),
				"A_mute signal 2": tick(`2`),
				"A_mute signal 3": tick(`3`),
			},
			differs: map[string]difference{
				"A_mute signal 2": {oneAtATime, nil},
				"A_mute signal 3": {oneAtATime, nil},
				"A_mute end": {oneAtATime, []string{
					`{"params": {"info": {"sender": "timer", "event": "tick"}, "listener_id": 139650325665264, "data": 2}, "method": "signal", "id": 2}`,
					`{"params": {"info": {"sender": "timer", "event": "tick"}, "listener_id": 139650325665264, "data": 3}, "method": "signal", "id": 3}`,
				}},
			},
		},
		{name: "60_client_api_edges", differs: map[string]difference{
			"listener signal 2": {itsOwn, nil},
			"B reply 2":         {itsOwn, refused("sender clock belongs to another client", "2")},
		}},
		{name: "61_ghost_sender_cleanup", differs: map[string]difference{
			"raw reply 5": {"a channel that nobody listens to any more is not listed", []string{`{"status": 0, "id": 5, "response": [
				{"connected": true, "sender": "timer", "events": [{"event": "tick"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
				{"connected": true, "sender": null, "events": [{"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]}]}`}},
		}},
		{name: "65_requests_queue_behind_slow_signal", differs: map[string]difference{
			"sender reply 10": {"nobody waits for a mute listener, and joined messages are read", []string{
				`{"status": 0, "id": 10, "response": null}`, version("11"), version("12"),
			}},
		}},
	}
	return append(append(rows, rawInput...), requestServerRows()...)
}

var rawErrors = map[string]difference{
	"raw reply 8":  {ownText, refused("params must be an object, not []", "8")},
	"raw reply 9":  {ownText, refused(`params must be an object, not "x"`, "9")},
	"raw reply 10": {ownText, refused("params must be an object, not 5", "10")},
	"raw reply 22": {"pysig indexes into an empty event name", []string{`{"status": 0, "id": 22, "response": null}`}},
	"raw reply 23": notAName("{}", "23"),
	"raw reply 24": notAName("{}", "24"),
	"raw reply 26": {"a lone name is a list of one, as for events", []string{`{"status": 0, "id": 26, "response": null}`}},
	"raw reply 28": notAName(`{\\\"a\\\": 1}`, "28"),
	"raw reply 30": {ownText, refused("sender unknown not found", "30")},
	"raw reply 31": {ownText, refused("sender timer belongs to another client", "31")},
	"raw reply 36": {"pysig indexes into an empty event name", []string{`{"status": 0, "id": 36, "response": {"listener_id": 100000000000036}}`}},
	"raw reply 38": notAName("[]", "38"),
	"raw reply 39": notAName("{}", "39"),
	"raw reply 45": {ownText, refused(`info must be an object, not "x"`, "45")},
	"raw reply 48": {ownText, refused("sender s2 does not offer unknown", "48")},
	"raw reply 53": {ownText, refused("sender unknown not found", "53")},
	"raw reply 57": {noRest, []string{`{"status": 0, "id": 57, "response": [` + leftByErrors + `]}`}},
	"raw reply 58": {noRest, []string{`{"status": 0, "id": 58, "response": [` + leftByErrors + `]}`}},
}

// leftByErrors are the senders that are left after the requests that failed.
const leftByErrors = `
	{"connected": true, "sender": "timer", "events": [{"event": "tick"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s2", "events": [{"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s3", "events": [{"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s4", "events": [{"event": ""}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s6", "events": [{"event": "e"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s7", "events": [{"event": "e"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": "s8", "events": [{"event": 5}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": false, "sender": "zz", "events": [{"event": ""}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": false, "sender": "", "events": [{"event": "x"}, {"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]},
	{"connected": true, "sender": null, "events": [{"event": "#disconnect"}, {"event": null}, {"event": "#connect"}]}`

// rawInput is the recordings of a client that sends one odd message and then
// asks for the version, with the id 99.
var rawInput = []serverRow{
	{name: "11_raw_input__ascii_garbage", ends: notJSON},
	{name: "11_raw_input__dup_keys"},
	{name: "11_raw_input__http", ends: notJSON},
	{name: "11_raw_input__invalid_utf8_inside_json", ends: notJSON},
	odd("json_list"),
	{name: "11_raw_input__json_null", ends: noEnd},
	{name: "11_raw_input__json_number", ends: noEnd},
	{name: "11_raw_input__json_string", ends: noEnd},
	{name: "11_raw_input__json_true", ends: noEnd},
	{name: "11_raw_input__latin1_garbage", ends: notJSON},
	{name: "11_raw_input__leading_ws"},
	odd("method_list", `{"status": -1, "id": 1}`),
	odd("method_object", `{"status": -1, "id": 1}`),
	{name: "11_raw_input__nul_bytes", ends: notJSON},
	joined("pipelined_newline"),
	joined("pipelined_no_ws"),
	{name: "11_raw_input__reply_no_id"},
	odd("reply_unhashable_id"),
	{name: "11_raw_input__reply_unknown_id"},
	{name: "11_raw_input__request_with_status"},
	{name: "11_raw_input__request_with_status_null"},
	{name: "11_raw_input__trailing_newline"},
	{name: "11_raw_input__trailing_nul", ends: notJSON, differs: map[string]difference{
		"trailing_nul end": {"what comes before it is a message", []string{version("1")}},
	}},
	odd("unicode_error_text_signal", refused("sender caf\u00e9 not found", "1")...),
	odd("unicode_error_text_utf8", refused("sender caf\u00e9 not found", "1")...),
	{name: "11_raw_input__unicode_remove_sender_unknown", differs: map[string]difference{
		"unicode_remove_sender_unknown reply 1": {ownText, refused("sender caf\u00e9 not found", "1")},
	}},
	{name: "11_raw_input__unicode_unknown_method"},
	{name: "11_raw_input__utf8_bom", ends: notJSON},
	{name: "11_raw_input__whitespace_only"},
}

const (
	notJSON = "what cannot be JSON ends the connection; pysig drops it, or ends it too"
	noEnd   = "a scalar has no end in a stream, and is never a message"
)

// odd is a message for which pysig ends the connection and ours does not.
func odd(name string, answers ...string) serverRow {
	return serverRow{name: "11_raw_input__" + name, differs: map[string]difference{
		name + " end": {"only what cannot be JSON ends the connection", answers},
	}}
}

// joined is what pysig loses because it came in one recv.
func joined(name string) serverRow {
	return serverRow{name: "11_raw_input__" + name, differs: map[string]difference{
		name + " reply 99": {anyInput, []string{version("1"), version("2"), version("99")}},
	}}
}
