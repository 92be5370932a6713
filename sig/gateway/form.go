package gateway

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"sigalert/sig/internal/wire"
)

const typeForm = "application/x-www-form-urlencoded"

// payloadOf is the JSON object that a form has as its only field, payload: GitHub's
// webhooks send theirs so by default, and so does what is made for Slack. Nil if the
// body is anything else, such as the text of curl -d, which has the same type.
func payloadOf(r *http.Request, body []byte) []byte {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != typeForm || !bytes.HasPrefix(body, []byte("payload=")) {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	text := []byte(form.Get("payload"))
	if err != nil || len(form) != 1 || len(form["payload"]) != 1 || !wire.IsObject(text) || !wire.ValidData(text) {
		return nil
	}
	return text
}

// formOf reads a form as browsers and curl send it, of either kind.
func formOf(r *http.Request, body []byte) (form url.Values, err error) {
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == typeForm || len(body) == 0:
		form, err = url.ParseQuery(string(body))
	case kind == "multipart/form-data":
		form, err = parseParts(body, parameters["boundary"])
	default:
		err = fmt.Errorf("its type is %s", cmp.Or(kind, "not given"))
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is not a form (%s): send it as curl -F does, or as JSON, with Content-Type: application/json", err)
	}
	return form, nil
}

func parseParts(body []byte, boundary string) (url.Values, error) {
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(maxBody)
	if err != nil {
		return nil, err
	}
	return form.Value, form.RemoveAll()
}
