package sig_test

func clientRows() []clientRow {
	var rows []clientRow
	for _, name := range []string{
		"02_get_version__client",
		"03_list_senders__client",
		"04_add_listener_kinds__client",
		"05_signal_delivery_from_server_local_sender__listener",
		"06_add_sender_and_signal__listener",
		"07_remove_listener__client",
		"08_remove_sender__listener",
		"08_remove_sender__sender",
		"12_nonstring_identifiers__listener",
		"12_nonstring_identifiers__sender",
		"13_unicode_and_none__listener",
		"13_unicode_and_none__sender",
		"14_order_of_delivery_a_subscribed_specific_first__listener",
		"14_order_of_delivery_a_subscribed_specific_first__listener2",
		"15_duplicate_listener_and_unknown_event__listener",
		"18_self_delivery_deadlock__client",
		"19_self_connect_event_deadlock__client",
		"25_large_s2c_reply_list_senders__client",
		"28_raw_input_to_client__empty_info",
		"28_raw_input_to_client__float_listener_id",
		"28_raw_input_to_client__get_version_to_client",
		"28_raw_input_to_client__info_string",
		"28_raw_input_to_client__method_unknown",
		"28_raw_input_to_client__no_data",
		"28_raw_input_to_client__no_id",
		"28_raw_input_to_client__no_info",
		"28_raw_input_to_client__no_method",
		"28_raw_input_to_client__no_params",
		"28_raw_input_to_client__reply_list_id", // pysig's client ends the connection
		"28_raw_input_to_client__reply_no_id",
		"28_raw_input_to_client__reply_unknown_id",
		"28_raw_input_to_client__request_no_method",
		"28_raw_input_to_client__request_unknown_sender",
		"28_raw_input_to_client__string_id",
		"28_raw_input_to_client__unknown_listener",
		"29_add_listener_reply__bigint",
		"29_add_listener_reply__extra_fields",
		"29_add_listener_reply__float",
		"29_add_listener_reply__id_float",
		"29_add_listener_reply__int_id",
		"29_add_listener_reply__list_response",
		"29_add_listener_reply__no_response",
		"29_add_listener_reply__null_response",
		"29_add_listener_reply__status_0.0",
		"29_add_listener_reply__status_1",
		"29_add_listener_reply__status_str",
		"29_add_listener_reply__status_true",
		"29_add_listener_reply__string_id",
		"29_add_listener_reply__zero_id",
		"32_disconnect__client_halfclose__listener",
		"32_disconnect__client_halfclose__sender",
		"32_disconnect__client_kill9__listener",
		"32_disconnect__client_kill9__sender",
		"32_disconnect__client_rst__listener",
		"32_disconnect__client_rst__sender",
		"37_client_never_replies__B_ref",
		"60_client_api_edges__A",
		"60_client_api_edges__listener",
		"63_raw_utf8_and_compact_json_at_client",
	} {
		rows = append(rows, clientRow{files: []string{name}})
	}
	for _, name := range []string{
		"32_disconnect__server_kill9__listener",
		"32_disconnect__server_kill9__sender",
		"32_disconnect__server_stop__listener",
		"32_disconnect__server_stop__sender",
	} {
		rows = append(rows, clientRow{files: []string{name}, cut: true})
	}
	for _, name := range []string{"ascii_garbage", "invalid_utf8", "json_list", "json_null", "json_number"} {
		rows = append(rows, clientRow{
			files: []string{"28_raw_input_to_client__" + name},
			ends:  "what is not an object is not a message, and a peer that sends it is not an event server",
		})
	}
	rows = append(rows,
		clientRow{
			files: []string{"17_server_ids_vs_client_ids__client", "17_server_ids_vs_client_ids__client_after_reconnect"},
			cut:   true,
		},
		clientRow{files: []string{"21_rpc_from_inside_callback__client"}, callback: func(r *clientReplay) {
			if _, err := r.client.Senders(r.Context(), false); err != nil {
				r.Error(err)
			}
		}},
		clientRow{files: []string{"22_listener_callback_raises__client"}, differs: map[string]difference{
			"reply 1": {answeredFirst, done("1")},
			"reply 2": {answeredFirst, done("2")},
		}},
		clientRow{files: []string{"24_large_s2c_signal__listener"}, differs: map[string]difference{
			"reply 2": {anyInput, done("2")},
			"reply 3": {anyInput, done("3")},
			"reply 4": {anyInput, done("4")},
		}},
		clientRow{files: []string{"26_coalesced_reply_plus_signal_at_client"}, differs: map[string]difference{
			"reply 1": {anyInput, done("1")},
		}},
		clientRow{files: []string{"26_coalesced_two_signals_at_client"}, differs: map[string]difference{
			"reply 1": {anyInput, done("1")},
			"reply 2": {anyInput, done("2")},
		}},
		clientRow{files: []string{"27_split_signal_at_client"}, differs: map[string]difference{
			"reply 1": {anyInput, done("1")},
		}},
		clientRow{files: []string{"28_raw_input_to_client__method_list"}, differs: map[string]difference{
			"reply 7": {"pysig's client ends the connection", []string{`{"status": -1, "id": 7}`}},
		}},
		clientRow{files: []string{"28_raw_input_to_client__unknown_listener_str"}, differs: map[string]difference{
			"reply 7": {"pysig's client ends the connection", refused("listener id é not found", "7")},
		}},
		clientRow{files: []string{"29_add_listener_reply__id_string"}, pending: true, differs: map[string]difference{
			"reply 1": {"it is kept until the reply comes, whose id is not a string", done("1")},
		}},
	)
	return append(rows, requestClientRows()...)
}

const answeredFirst = "a signal is answered before the callback, which cannot fail"

// done is the answer to a signal that was accepted.
func done(id string) []string { return []string{`{"status": 0, "id": ` + id + `, "response": null}`} }
