package sig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"sigalert/sig/internal/wire"
)

// message is a request or a reply. Its parts are slices of the message's
// text; nil where a part is missing.
type message struct {
	id, method, params                      []byte
	status, response, exceptionMsg, codeMsg []byte
	retryAfter                              []byte
}

// parseMessage parses what a carrier delivered. If it is not an object, it is
// not a message, and ok is false; if it is not JSON, that is an error.
func parseMessage(text []byte) (m message, ok bool, err error) {
	ok = wire.ParseObject(text, func(key, value []byte) {
		switch string(key) {
		case "id":
			m.id = value
		case "method":
			m.method = value
		case "params":
			m.params = value
		case "status":
			m.status = value
		case "response":
			m.response = value
		case "exception":
			m.exceptionMsg = value
		case "code":
			m.codeMsg = value
		case "retry_after":
			m.retryAfter = value
		}
	})
	if !ok && !wire.Valid(text) {
		return message{}, false, fmt.Errorf("not JSON: %s", wire.Excerpt(text))
	}
	return m, ok, nil
}

// maxRetryAfter is the longest wait, in seconds, that is taken from a server.
const maxRetryAfter = 3600

// isReply reports whether the message is a reply: pysig takes anything with a
// status for one, even with a method.
func (m message) isReply() bool { return !missing(m.status) }

func missing(text []byte) bool { return len(text) == 0 || string(text) == "null" }

// nameOf returns a scalar's name; ok is false for null, objects and arrays.
func nameOf(text []byte) (n Name, ok bool) {
	if missing(text) {
		return "", false
	}
	n, err := ParseName(text)
	return n, err == nil
}

// unsigned reads a number without a sign or a fraction.
func unsigned(text []byte) (n uint64, ok bool) {
	if len(text) == 0 || len(text) > 19 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// replyID returns the number of the request that a message answers.
func (m message) replyID() (uint64, bool) {
	if n, ok := unsigned(m.id); ok {
		return n, true
	}
	name, ok := nameOf(m.id)
	if !ok || name[0] != 0 { // a string is not a number
		return 0, false
	}
	return unsigned([]byte(name.key()[1:]))
}

// result returns what a reply says: the response, or the refusal as an error.
func (m message) result() ([]byte, error) {
	if string(m.status) == "0" {
		return m.response, nil
	}
	status, ok := nameOf(m.status)
	if ok && status.Equal(Number(statusOK)) {
		return m.response, nil
	}
	e := &RemoteError{Status: statusException, Text: "the peer refused without giving a reason"}
	if n, err := strconv.Atoi(status.String()); ok && err == nil {
		e.Status = n
	}
	if text, ok := nameOf(m.exceptionMsg); ok {
		e.Text = text.String()
	}
	code, _ := nameOf(m.codeMsg)
	e.Code = code.String()
	if seconds, err := strconv.ParseFloat(string(m.retryAfter), 64); err == nil && seconds > 0 && seconds < maxRetryAfter {
		e.RetryAfter = time.Duration(seconds * float64(time.Second))
	}
	return nil, e
}

// methodName returns a method's name without its quotes; ok is false if it is
// not a scalar.
func methodName(text []byte) (name []byte, ok bool) {
	if len(text) >= 2 && text[0] == '"' && bytes.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], true
	}
	n, err := ParseName(text)
	return []byte(n), err == nil
}

func appendRequest(b []byte, id uint64, method string, params []byte) []byte {
	b = append(b, '{')
	if params != nil {
		b = append(b, `"params": `...)
		b = append(b, params...)
		b = append(b, ", "...)
	}
	b = append(b, `"method": `...)
	b = wire.AppendString(b, method)
	b = append(b, `, "id": `...)
	b = strconv.AppendUint(b, id, 10)
	return append(b, '}')
}

// appendReply answers a request; a nil response is null. Only answers on a
// stream have codes.
func appendReply(b, id, response []byte, err error, stream bool) []byte {
	b = append(b, `{"status": `...)
	refusal, _ := err.(*RemoteError)
	switch {
	case err == nil:
		b = append(b, '0')
	case refusal != nil && refusal.Status != statusException:
		b = strconv.AppendInt(b, int64(refusal.Status), 10)
	default:
		b = append(b, `-2, "exception": `...)
		b = wire.AppendASCII(b, err.Error())
		if stream && refusal != nil && refusal.Code != "" {
			b = wire.AppendASCII(append(b, `, "code": `...), refusal.Code)
			if refusal.RetryAfter > 0 {
				b = strconv.AppendFloat(append(b, `, "retry_after": `...), refusal.RetryAfter.Seconds(), 'f', -1, 64)
			}
		}
	}
	b = append(b, `, "id": `...)
	b = appendOrNull(b, id)
	if err == nil {
		b = append(b, `, "response": `...)
		b = appendOrNull(b, response)
	}
	return append(b, '}')
}

func appendOrNull(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, "null"...)
	}
	return append(b, text...)
}

// appendInfo writes the "info" of a signal.
func appendInfo(b []byte, sender, event Name) []byte {
	b = append(b, `{"sender": `...)
	b = sender.appendJSON(b)
	b = append(b, `, "event": `...)
	b = event.appendJSON(b)
	return append(b, '}')
}

// maxExtra bounds Event.Extra, in bytes: a message holds it beside the data.
const maxExtra = 64 << 10

// extraOf returns the members of an info that are not the event's names.
func extraOf(info []byte) (extra json.RawMessage) {
	for o := wire.ObjectOf(info); o.Next(); {
		if key := string(o.Key); key != "sender" && key != "event" {
			extra = append(wire.AppendString(append(extra, ", "...), key), ": "...)
			extra = append(extra, o.Value...)
		}
	}
	if extra == nil {
		return nil
	}
	extra[1] = '{' // for the first comma and blank
	return append(extra[1:], '}')
}

// appendExtra adds the members of extra to an info.
func appendExtra(info []byte, extra json.RawMessage) []byte {
	info = bytes.TrimSuffix(info, []byte("}"))
	for o := wire.ObjectOf(extra); o.Next(); {
		info = append(wire.AppendString(append(info, ", "...), string(o.Key)), ": "...)
		info = append(info, o.Value...)
	}
	return append(info, '}')
}

// checkExtra refuses what no info could have.
func checkExtra(extra json.RawMessage) error {
	switch {
	case len(extra) > maxExtra:
		return fmt.Errorf("%w: Event.Extra of %d bytes, the limit is %d", ErrTooLarge, len(extra), maxExtra)
	case extra != nil && (!wire.Valid(extra) || !wire.IsObject(extra)):
		return fmt.Errorf("Event.Extra is not a JSON object: %s", wire.Excerpt(extra))
	}
	return nil
}

// appendNames writes a list of names.
func appendNames(b []byte, names []Name) []byte {
	b = append(b, '[')
	for i, n := range names {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = n.appendJSON(b)
	}
	return append(b, ']')
}

// member returns one member of an object, nil if there is none.
func member(object []byte, name string) (found []byte) {
	for o := wire.ObjectOf(object); o.Next(); {
		if string(o.Key) == name {
			found = o.Value
		}
	}
	return found
}

// refusal returns the refusal that an object describes.
func refusal(object []byte) *RemoteError {
	text, _ := nameOf(member(object, "exception"))
	return &RemoteError{Status: statusException, Text: text.String()}
}
