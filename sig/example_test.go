package sig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// A sender, a trigger and a listener.
func Example() {
	router := new(sig.Router)
	sender, err := router.AddSender("my_sender", "my_event_1", "my_event_2")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := router.AddListener("my_sender", "my_event_1", func(ev sig.Event) {
		fmt.Printf("received event %s from sender %s with data %v\n", ev.Event, ev.Sender, ev.Data.Value())
	}); err != nil {
		fmt.Println(err)
	}
	if err := sender.Trigger("my_event_1", map[string]any{"info1": "something", "info2": 2}); err != nil {
		fmt.Println(err)
	}
	// Nobody listens to this one, which is not an error.
	if err := router.Sender("my_sender").Trigger("my_event_2", nil); err != nil {
		fmt.Println(err)
	}
	// Output:
	// received event my_event_1 from sender my_sender with data map[info1:something info2:2]
}

// A listener may name a sender and an event, or leave out either.
func ExampleRouter_AddListener() {
	router := new(sig.Router)
	sender, err := router.AddSender("my_sender", "my_event", "#notify")
	if err != nil {
		fmt.Println(err)
		return
	}
	says := func(who string) func(sig.Event) {
		return func(ev sig.Event) { fmt.Printf("%s: %s %v\n", who, ev.Event, ev.Data.Value()) }
	}
	for _, l := range []struct{ sender, event sig.Name }{
		{"my_sender", "my_event"}, // one event of one sender
		{"my_sender", ""},         // every event of this sender
		{"", "#notify"},           // a channel: this event, from any sender
		{"", ""},                  // everything
	} {
		if _, err := router.AddListener(l.sender, l.event, says(fmt.Sprintf("(%s, %s)", l.sender, l.event))); err != nil {
			fmt.Println(err)
		}
	}
	// The sender has the method too.
	if _, err := sender.AddListener("my_event", says("of the sender")); err != nil {
		fmt.Println(err)
	}
	for i, event := range []sig.Name{"my_event", "#notify"} {
		if err := sender.Trigger(event, i+1); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// (, ): my_event 1
	// (my_sender, ): my_event 1
	// (my_sender, my_event): my_event 1
	// of the sender: my_event 1
	// (, ): #notify 2
	// (my_sender, ): #notify 2
	// (, #notify): #notify 2
}

// Names may be numbers. 2 and 2.0 are one name, "2.0" is another.
func ExampleNumber() {
	router := new(sig.Router)
	sender, err := router.AddSender(sig.Number(20), sig.Number(1), sig.Number(2.0), "2.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := router.AddListener(sig.Number(20), "", func(ev sig.Event) {
		fmt.Printf("%s: %s %v\n", ev.Sender.JSON(), ev.Event.JSON(), ev.Data.Value())
	}); err != nil {
		fmt.Println(err)
	}
	for i, event := range []sig.Name{sig.Number(1), sig.Number(2), "2.0"} {
		if err := sender.Trigger(event, i); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 20: 1 0
	// 20: 2 1
	// 20: "2.0" 2
}

// A sender may answer requests as well.
func ExampleRouter_Request() {
	router := new(sig.Router)
	if _, err := router.AddSenderWith("calculator", sig.SenderOptions{
		Requests: map[sig.Name]sig.RequestFunc{
			"add": func(_ context.Context, _ sig.Name, params sig.Data) (any, error) {
				var terms []int
				if err := params.Decode(&terms); err != nil {
					return nil, err
				}
				sum := 0
				for _, t := range terms {
					sum += t
				}
				return sum, nil
			},
			// The zero Name stands for all other methods.
			"": func(_ context.Context, method sig.Name, _ sig.Data) (any, error) {
				return nil, fmt.Errorf("cannot %s", method)
			},
		},
	}); err != nil {
		fmt.Println(err)
	}
	for _, method := range []sig.Name{"add", "divide"} {
		response, err := router.Request(context.Background(), "calculator", method, []int{1, 2, 3})
		fmt.Println(response.Value(), err)
	}
	// Output:
	// 6 <nil>
	// <nil> cannot divide
}

// A server is a router that clients share. It may have senders of its own.
func ExampleServerRouter() {
	carrier, err := tcp.Listen("127.0.0.1:0") // port 3000 is usual
	if err != nil {
		fmt.Println(err)
		return
	}
	server := sig.NewServerRouter(nil)
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	defer serving.Wait()
	defer stop()
	serving.Go(func() {
		if err := server.Serve(ctx, carrier); err != nil {
			fmt.Println(err)
		}
	})

	timer, err := server.AddSender("timer", "tick")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := server.AddListener("timer", "tick", func(ev sig.Event) {
		fmt.Printf("%s: %s %v, event %d of this server\n", ev.Sender, ev.Event, ev.Data.Value(), ev.Seq)
	}); err != nil {
		fmt.Println(err)
	}
	for range 2 {
		if err := timer.Trigger("tick", "server data"); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// timer: tick server data, event 2 of this server
	// timer: tick server data, event 3 of this server
}

// A client that sends. Its sender outlives lost connections.
func ExampleClientRouter_AddRemoteSender() {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := sig.NewServerRouter(nil)
	client := sig.NewClientRouter(tcp.NewClient(carrier.Addr()), nil)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = server.Serve(ctx, carrier) })
	running.Go(func() { client.Run(ctx) })
	if _, err := server.AddListener("timer_client", "tick", func(ev sig.Event) {
		fmt.Printf("the server got %s from %s: %v\n", ev.Event, ev.Sender, ev.Data.Value())
	}); err != nil {
		fmt.Println(err)
	}

	timer, err := client.AddRemoteSender(ctx, "timer_client", "tick")
	if err != nil {
		fmt.Println(err)
		return
	}
	// Once Trigger has returned, the server has the event.
	if err := timer.Trigger(ctx, "tick", "client data"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(timer.Trigger(ctx, "tock", nil))
	// Output:
	// the server got tick from timer_client: client data
	// sender timer_client does not offer tock
}

// A client that listens, and hears when the sender comes and goes.
func ExampleClientRouter_AddRemoteListener() {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := sig.NewServerRouter(nil)
	changed := make(chan struct{}, 1)
	client := sig.NewClientRouter(tcp.NewClient(carrier.Addr()), &sig.ClientOptions{
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = server.Serve(ctx, carrier) })
	running.Go(func() { client.Run(ctx) })

	gone := make(chan struct{})
	client.AddRemoteListener("timer", sig.EventConnect, func(ev sig.Event) {
		fmt.Println(ev.Sender, "is connected")
	})
	client.AddRemoteListener("timer", sig.EventDisconnect, func(ev sig.Event) {
		fmt.Println(ev.Sender, "is disconnected")
		close(gone)
	})
	tick := client.AddRemoteListener("timer", "tick", func(ev sig.Event) {
		fmt.Println(ev.Sender, ev.Event, ev.Data.Value())
	})
	// The sender need not be there yet. A program that must know whether the
	// server has a listener asks for its status.
	for st, _ := client.Status(tick); st != sig.Active; st, _ = client.Status(tick) {
		<-changed
	}

	timer, err := server.AddSender("timer", "tick")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := timer.Trigger("tick", "test"); err != nil {
		fmt.Println(err)
	}
	if err := server.RemoveSender(timer); err != nil {
		fmt.Println(err)
	}
	<-gone
	// Output:
	// timer is connected
	// timer tick test
	// timer is disconnected
}

// packed is a carrier that packs each message; both sides use it.
type packed struct{ sig.ClientCarrier }

func (p packed) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := p.ClientCarrier.Dial(ctx)
	return packedConn{conn}, err
}

type unpacked struct{ sig.ServerCarrier }

func (u unpacked) Accept() (sig.Conn, error) {
	conn, err := u.ServerCarrier.Accept()
	return packedConn{conn}, err
}

// packedConn packs a message as a JSON object with one member, since the carrier
// below takes only objects. It is not a StreamConn: each message is one write.
type packedConn struct{ sig.Conn }

func (c packedConn) WriteMessage(text []byte) error {
	b, err := json.Marshal(map[string][]byte{"packed": text})
	if err != nil {
		return err
	}
	return c.Conn.WriteMessage(b)
}

func (c packedConn) ReadMessage() ([]byte, error) {
	text, err := c.Conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	var m map[string][]byte
	err = json.Unmarshal(text, &m)
	return m["packed"], err
}

// A connection that packs what goes over it.
func ExampleConn() {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := sig.NewServerRouter(nil)
	client := sig.NewClientRouter(packed{tcp.NewClient(carrier.Addr())}, nil)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = server.Serve(ctx, unpacked{carrier}) })
	running.Go(func() { client.Run(ctx) })

	_, err = client.AddRemoteSender(ctx, "timer", "tick")
	fmt.Println(err, server.Sender("timer").Events())
	// Output: <nil> [tick]
}
