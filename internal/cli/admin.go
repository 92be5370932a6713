package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/wait"
	"sigalert/internal/words"
	"sigalert/internal/zone"
)

const (
	adminTime = 10 * time.Second // for an answer
	maxAdmin  = 64 << 20         // bytes of one
	// rateTime is over how long rates are taken.
	rateTime = time.Second
)

func (p *program) admin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "See who uses a router, and disconnect them",
		Long: `Asks a router who is connected to it and how much it does, and disconnects clients.
The token must have the right to: "sigalert token new NAME --admin" gives it. A router
without tokens answers only on its own machine.`,
		Example: `  sigalert admin status
  sigalert admin clients
  sigalert admin disconnect 17`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage(errors.New("admin requires one of clients, disconnect and status"))
		},
	}
	cmd.PersistentFlags().StringVar(&p.server, "server", "", "the router's `URL`, or its name in the configuration; tls:// for TLS; tcp:// and :3000 can be left out (default: $SIGALERT_SERVER, the configuration's first server, or 127.0.0.1:3000)")
	asJSON := false
	clients := &cobra.Command{
		Use: "clients", Short: "List the clients, with how much they do in a second", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.adminClients(cmd.Context(), asJSON) },
	}
	status := &cobra.Command{
		Use: "status", Short: "Say how much the router does, and what it has refused", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.adminStatus(cmd.Context(), asJSON) },
	}
	for _, cmd := range []*cobra.Command{clients, status} {
		cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON")
	}
	cmd.AddCommand(clients, status, &cobra.Command{
		Use: "disconnect ID...", Short: "End a client's connection; it may come back", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.adminDisconnect(cmd.Context(), args) },
	})
	return cmd
}

// askRouter asks the first of the router's addresses that answers.
func (p *program) askRouter(ctx context.Context, method, path string, into any) error {
	to, err := p.findServer()
	if err != nil {
		return err
	}
	var failed error
	for _, addr := range to.addresses {
		reached, err := askAt(ctx, to, addr, method, path, into)
		if reached {
			return err
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// askAt also reports whether there was an answer.
func askAt(ctx context.Context, to target, addr, method, path string, into any) (reached bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, adminTime, fmt.Errorf("no answer within %s", words.Span(adminTime)))
	defer cancel()
	response, err := to.proven().Ask(ctx, addr, method, path)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return false, fmt.Errorf("%s does not answer over HTTP: %w", addr, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAdmin))
	switch {
	case err != nil:
		return true, fmt.Errorf("%s: %w", addr, err)
	case response.StatusCode == http.StatusMethodNotAllowed:
		return true, fmt.Errorf("%s is a router that cannot be administered: it is an older one", addr)
	case response.StatusCode >= http.StatusMultipleChoices:
		return true, fmt.Errorf("%s: %s", addr, plain.Line(strings.TrimSpace(string(text)), 300))
	case into == nil:
		return true, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return true, fmt.Errorf("%s does not answer as a router does: %w", addr, err)
	}
	return true, nil
}

// adminClient is a client as a router lists it.
type adminClient struct {
	ID          uint64    `json:"id"`
	Address     string    `json:"address"`
	Since       time.Time `json:"since"`
	Token       string    `json:"token,omitempty"`
	Kind        string    `json:"kind"`
	Senders     int       `json:"senders"`
	Listeners   int       `json:"listeners"`
	Queued      int       `json:"queued"`
	QueuedBytes int       `json:"queued_bytes"`
	Behind      bool      `json:"behind"`
	Dropped     uint64    `json:"dropped"`
	EventsIn    uint64    `json:"events_in"`
	EventsOut   uint64    `json:"events_out"`
	BytesIn     uint64    `json:"bytes_in"`
	BytesOut    uint64    `json:"bytes_out"`
	// Per second, as they are now.
	InRate  float64 `json:"events_in_per_second"`
	OutRate float64 `json:"events_out_per_second"`
}

type adminClients struct {
	Time    time.Time     `json:"time"`
	Clients []adminClient `json:"clients"`
}

// rate fills in the rates since an earlier answer.
func (a *adminClients) rate(before adminClients) {
	seconds := a.Time.Sub(before.Time).Seconds()
	was := make(map[uint64]adminClient)
	for _, c := range before.Clients {
		was[c.ID] = c
	}
	for i := range a.Clients {
		if c := &a.Clients[i]; seconds > 0 {
			c.InRate = float64(c.EventsIn-was[c.ID].EventsIn) / seconds
			c.OutRate = float64(c.EventsOut-was[c.ID].EventsOut) / seconds
		}
	}
}

func (p *program) adminClients(ctx context.Context, asJSON bool) error {
	var before, now adminClients
	if err := p.askRouter(ctx, http.MethodGet, "/clients", &before); err != nil {
		return err
	}
	if !wait.Sleep(ctx, rateTime, nil) {
		return context.Cause(ctx)
	}
	if err := p.askRouter(ctx, http.MethodGet, "/clients", &now); err != nil {
		return err
	}
	now.rate(before)
	if asJSON {
		return p.printJSON(now)
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tTOKEN\tADDRESS\tSINCE\tSENDERS\tLISTENERS\tQUEUED\tIN\tIN/S\tOUT\tOUT/S\tDROPPED\tREAD\tWRITTEN")
	for _, c := range now.Clients {
		queued := fmt.Sprint(c.Queued)
		if c.Behind {
			queued += "+"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%d\t%.1f\t%d\t%.1f\t%d\t%s\t%s\n", c.ID, plain.Line(c.Kind, 20), cmp.Or(plain.Line(c.Token, 64), "-"), plain.Line(c.Address, 64),
			words.Span(now.Time.Sub(c.Since)), c.Senders, c.Listeners, queued, c.EventsIn, c.InRate, c.EventsOut, c.OutRate, c.Dropped, words.Bytes(float64(c.BytesIn)), words.Bytes(float64(c.BytesOut)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(p.out, text.String())
	return err
}

func (p *program) adminDisconnect(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, err := strconv.ParseUint(id, 10, 64); err != nil {
			return usage(fmt.Errorf("%q is not a client's ID: \"sigalert admin clients\" lists them", id))
		}
	}
	var failed error
	for _, id := range ids {
		if err := p.askRouter(ctx, http.MethodDelete, "/clients/"+url.PathEscape(id), nil); err != nil {
			failed = errors.Join(failed, fmt.Errorf("client %s: %w", id, err))
		}
	}
	return failed
}

func (p *program) adminStatus(ctx context.Context, asJSON bool) error {
	var text json.RawMessage
	if err := p.askRouter(ctx, http.MethodGet, "/status", &text); err != nil {
		return err
	}
	if asJSON {
		return p.printJSONText(text)
	}
	var st struct {
		Server                                           string
		Since, Time                                      time.Time
		Clients, Streams, Senders, Listeners, Remembered int
		Events, Dropped                                  uint64
		EventsIn                                         uint64 `json:"events_in"`
		EventsOut                                        uint64 `json:"events_out"`
		BytesIn                                          uint64 `json:"bytes_in"`
		BytesOut                                         uint64 `json:"bytes_out"`
		NotAdmitted                                      uint64 `json:"not_admitted"`
		Unread                                           uint64 `json:"unread_bytes"`
		Reading                                          uint64 `json:"reading_bytes"`
		RememberedBytes                                  uint64 `json:"remembered_bytes"`
		Refused                                          map[string]uint64
		Store                                            string
	}
	if err := json.Unmarshal(text, &st); err != nil {
		return fmt.Errorf("the router does not answer as expected: %w", err)
	}
	refused := []string{}
	for _, limit := range slices.Sorted(maps.Keys(st.Refused)) {
		if n := st.Refused[limit]; n > 0 {
			refused = append(refused, fmt.Sprintf("%s %s", limit, words.Number(int(n))))
		}
	}
	if len(refused) == 0 {
		refused = []string{"nothing"}
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, line := range []struct{ name, text string }{
		{"router", st.Server},
		{"running since", fmt.Sprintf("%s (%s)", st.Since.In(zone.Local()).Format("2006-01-02 15:04:05"), words.Span(st.Time.Sub(st.Since)))},
		{"connected", fmt.Sprintf("%s (%s over HTTP), %s, %s", words.Count(st.Clients, "client"), words.Count(st.Streams, "stream"), words.Count(st.Senders, "sender"), words.Count(st.Listeners, "listener"))},
		{"events", fmt.Sprintf("%s numbered; %s from clients, %s to clients, %s dropped", words.Number(int(st.Events)), words.Number(int(st.EventsIn)), words.Number(int(st.EventsOut)), words.Number(int(st.Dropped)))},
		{"messages", fmt.Sprintf("%s read, %s written; %s wait for clients, %s are being read", words.Bytes(float64(st.BytesIn)), words.Bytes(float64(st.BytesOut)), words.Bytes(float64(st.Unread)), words.Bytes(float64(st.Reading)))},
		{"memory", fmt.Sprintf("%s, %s", words.Count(st.Remembered, "event"), words.Bytes(float64(st.RememberedBytes)))},
		{"store", st.Store},
		{"not admitted", words.Number(int(st.NotAdmitted))},
		{"refused", strings.Join(refused, ", ")},
	} {
		fmt.Fprintf(w, "%s:\t%s\n", line.name, plain.Line(line.text, 500))
	}
	return w.Flush()
}
