package gateway

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
)

// formOf reads a form as browsers and curl send it, of either kind.
func formOf(r *http.Request, body []byte) (form url.Values, err error) {
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded" || len(body) == 0:
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
