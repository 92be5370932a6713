package sig

import (
	"strconv"

	"sigalert/sig/internal/wire"
)

// message is a request or a reply. Its parts are slices of the message's
// text; nil where a part is missing.
type message struct {
	id, method, params             []byte
	status, response, exceptionMsg []byte
}

// parseMessage reports false where text is JSON, but no object.
func parseMessage(text []byte) (m message, ok bool) {
	ok = wire.Members(text, func(key string, value []byte) {
		switch key {
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
		}
	})
	return m, ok
}

// isReply: pysig takes whatever has a status for a reply, even with a method.
func (m message) isReply() bool { return !missing(m.status) }

func missing(text []byte) bool { return len(text) == 0 || string(text) == "null" }

// nameOf is a scalar's name; ok is false for null, objects and arrays.
func nameOf(text []byte) (n Name, ok bool) {
	if missing(text) {
		return "", false
	}
	n, err := ParseName(text)
	return n, err == nil
}

// result is what a reply says: the response, or the refusal as an error.
func (m message) result() ([]byte, error) {
	status, ok := nameOf(m.status)
	if ok && status.Equal(Number(statusOK)) {
		return m.response, nil
	}
	e := &RemoteError{Status: statusException, Text: "the peer refused without a reason"}
	if n, err := strconv.Atoi(status.String()); ok && err == nil {
		e.Status = n
	}
	if text, ok := nameOf(m.exceptionMsg); ok {
		e.Text = text.String()
	}
	return nil, e
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

// appendReply answers a request; a nil response is null.
func appendReply(b, id, response []byte, err error) []byte {
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

// member is one member of an object, nil where there is none.
func member(object []byte, name string) (found []byte) {
	wire.Members(object, func(key string, value []byte) {
		if key == name {
			found = value
		}
	})
	return found
}
