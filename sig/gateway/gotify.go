package gateway

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// gotify answers gotify's POST /message, a form or JSON.
func (g *gateway) gotify(w http.ResponseWriter, r *http.Request) error {
	query, err := parameters(r)
	if err != nil {
		return err
	}
	var sent struct {
		Title    string
		Message  string
		Priority *float64
		Extras   json.RawMessage
	}
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	if isJSON(r) {
		if err := checkJSON(body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			what := "it is not an object"
			if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) && e.Field != "" {
				what = strings.ToLower(e.Field) + " cannot be a " + e.Value
			}
			return refuse(http.StatusBadRequest, `the message is not as expected (%s): send {"title": "…", "message": "…", "priority": 5}`, what)
		}
	} else {
		form, err := formOf(r, body)
		if err != nil {
			return err
		}
		get := func(name string) string {
			if value := form.Get(name); value != "" {
				return value
			}
			return query.Get(name)
		}
		sent.Title, sent.Message = get("title"), get("message")
		if n, err := strconv.ParseFloat(get("priority"), 64); err == nil {
			sent.Priority = &n
		}
	}
	if sent.Message == "" {
		return refuse(http.StatusBadRequest, `the message is missing: send {"title": "…", "message": "…", "priority": 5}, or a form with these fields`)
	}
	var more members
	more.text("title", sent.Title)
	if sent.Priority != nil {
		more.text("urgency", urgencyOf(*sent.Priority))
	}
	more.text("url", clickOf(sent.Extras))
	sender := given(r, query, "sender")
	if sender == "" {
		sender = "gotify"
	}
	done, err := g.publish(r, query, sender, "message", more.with(textOf([]byte(sent.Message))))
	if err != nil {
		return err
	}
	answerJSON(w, struct {
		ID       uint64    `json:"id"`
		App      int       `json:"appid"`
		Message  string    `json:"message"`
		Title    string    `json:"title"`
		Priority *float64  `json:"priority,omitempty"`
		Date     time.Time `json:"date"`
	}{done.Seq, 1, sent.Message, sent.Title, sent.Priority, time.Now()})
	return nil
}

// clickOf is the address that a message's extras have for a click; they may have
// anything.
func clickOf(extras []byte) (address string) {
	click := objectOf(objectOf(objectOf(extras)["client::notification"])["click"])
	_ = json.Unmarshal(click["url"], &address)
	return address
}

// urgencyOf is what gotify's clients make of a priority from 0 to 10.
func urgencyOf(priority float64) string {
	switch n := math.Floor(priority); {
	case n >= 8:
		return "critical"
	case n >= 4:
		return "normal"
	}
	return "low"
}
