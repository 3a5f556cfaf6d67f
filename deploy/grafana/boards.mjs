// The operators' dashboards as tables: what is shown, in which unit, and where it is read off. `write.mjs` writes the
// JSON; deploy/checks/dashboards.test.mjs checks every metric and label against those the servers export.

/** Narrowed down to the gateways chosen, and to the media servers chosen. */
const G = 'instance=~"$instance"';
const M = 'instance=~"$node"';

/** A panel. Units are Grafana's. */
const panel = (kind, title, unit, queries, more = {}) => ({ kind, title, unit, queries: queries.map(query), ...more });
const query = (each) => (typeof each === "string" ? { expr: each } : { expr: each[0], legend: each[1] });
const stat = (...rest) => panel("stat", ...rest);
const gauge = (...rest) => panel("gauge", ...rest);
const lines = (...rest) => panel("timeseries", ...rest);

const rate = (selector) => `rate(${selector}[$__rate_interval])`;
const sumRate = (by, selector) => `sum by (${by}) (${rate(selector)})`;
const quantile = (share, by, name, filter) =>
  `histogram_quantile(${share}, sum by (${[...by, "le"].join(", ")}) (${rate(`${name}_bucket{${filter}}`)}))`;
/** Median and 95th percentile by some labels. */
const percentiles = (by, name, filter) => {
  const legend = by.map((label) => `{{${label}}}`).join(" ");
  return [0.5, 0.95].map((share) => [quantile(share, by, name, filter), `${legend} p${share * 100}`.trim()]);
};
/** How many fell into each bucket in the time shown. */
const bars = (title, unit, name, filter, about) =>
  panel("bargauge", title, unit, [[`sum by (le) (increase(${name}_bucket{${filter}}[$__range]))`, "{{le}}"]], { about });

const upTo = (...pairs) => [{ color: "green", value: null }, ...pairs.map(([value, color]) => ({ color, value }))];
const downTo = (good, fair) => [{ color: "red", value: null }, { color: "orange", value: fair }, { color: "green", value: good }];

const CALLS = {
  uid: "meeshy-calls",
  title: "Calls",
  about: "Who calls whom how, and what becomes of it. Figures of the gateways.",
  scopes: ["gateway"],
  rows: [
    {
      title: "Now",
      panels: [
        gauge("Active calls", "short", [`sum(calls_active_total{${G}})`], { about: "Calls in which people have met." }),
        stat("Directly", "short", [`sum(calls_mode_p2p_total{${G}})`]),
        stat("Through a media server", "short", [`sum(calls_mode_sfu_total{${G}})`]),
        stat("People in calls", "short", [`sum(meeshy_active_participants{${G}})`]),
        stat("Connected clients", "short", [`sum(meeshy_socketio_connections{${G}})`]),
        stat("People lost", "percentunit", [
          `sum(increase(call_drops_total{${G}}[1h])) / (sum(increase(meeshy_call_joins_total{${G}}[1h])) + sum(avg_over_time(meeshy_active_participants{${G}}[1h])))`,
        ], { about: "Of those who were in calls within the hour; the alert is at 1 % of ten minutes.", steps: upTo([0.005, "orange"], [0.01, "red"]) }),
      ],
    },
    {
      title: "Over time",
      panels: [
        lines("Calls by mode", "short", [[`sum(calls_mode_p2p_total{${G}})`, "direct"], [`sum(calls_mode_sfu_total{${G}})`, "media server"]], { stacked: true }),
        lines("People in calls", "short", [[`sum by (instance) (meeshy_active_participants{${G}})`, "{{instance}}"]], { stacked: true }),
        lines("Connected clients", "short", [[`sum by (instance) (meeshy_socketio_connections{${G}})`, "{{instance}}"]], { stacked: true }),
        lines("Calls begun", "cpm", [[`60 * ${sumRate("type, conversation_type", `meeshy_calls_total{${G}}`)}`, "{{type}} {{conversation_type}}"]]),
        lines("Seats taken", "cpm", [[`60 * sum(${rate(`meeshy_call_joins_total{${G}}`)})`, "joins"]]),
        lines("Calls that failed by our fault", "cps", [[sumRate("reason", `meeshy_calls_failed_total{${G}}`), "{{reason}}"]], { about: "The alert is at 0.1 a second." }),
      ],
    },
    {
      title: "What becomes of them",
      panels: [
        bars("Participants per call", "short", "call_participants", G, "Most people at a time; calls that ended in the time shown."),
        bars("Call duration", "s", "meeshy_call_duration_seconds", G, "Upper bounds in seconds."),
        lines("From joining to media", "s", percentiles(["mode"], "meeshy_call_setup_duration_seconds", G), { about: "The target is 1.5 s." }),
        lines("People lost", "cpm", [[`60 * ${sumRate("mode", `call_drops_total{${G}}`)}`, "{{mode}}"]]),
        lines("Reconnections", "cpm", [[`60 * ${sumRate("result", `call_reconnections_total{${G}}`)}`, "{{result}}"]]),
      ],
    },
  ],
};

const SWITCHING = {
  uid: "meeshy-switching",
  title: "Switching",
  about: "Calls that change between direct connections and a media server. Figures of the gateways.",
  scopes: ["gateway"],
  rows: [
    {
      title: "In the time shown",
      panels: [
        stat("Succeeded", "percentunit", [
          `sum(increase(calls_mode_transitions_total{${G}, result="success"}[$__range])) / sum(increase(calls_mode_transitions_total{${G}}[$__range]))`,
        ], { steps: downTo(0.99, 0.95), about: "The alert is below 95 % of ten minutes." }),
        stat("Switches", "short", [`sum(increase(calls_mode_transitions_total{${G}}[$__range]))`]),
        stat("p95", "s", [`histogram_quantile(0.95, sum by (le) (increase(call_mode_transition_duration_seconds_bucket{${G}}[$__range])))`], { steps: upTo([2, "orange"], [3, "red"]), about: "The target is 2 s." }),
      ],
    },
    {
      title: "Over time",
      panels: [
        lines("Switches by result", "cpm", [[`60 * ${sumRate("to, result", `calls_mode_transitions_total{${G}}`)}`, "to {{to}}: {{result}}"]]),
        lines("Switches by reason", "cpm", [[`60 * ${sumRate("from, to, reason", `calls_mode_transitions_total{${G}}`)}`, "{{from}} to {{to}}: {{reason}}"]]),
        lines("Transition duration", "s", percentiles(["to"], "call_mode_transition_duration_seconds", G)),
        bars("Transition duration", "short", "call_mode_transition_duration_seconds", G, "How many took so long; upper bounds in seconds."),
        panel("heatmap", "Transition duration over time", "s", [[`sum by (le) (increase(call_mode_transition_duration_seconds_bucket{${G}}[$__rate_interval]))`, "{{le}}"]]),
      ],
    },
  ],
};

const NODES = {
  uid: "meeshy-nodes",
  title: "Media servers",
  about: "How full and how busy they are. Figures of the media servers, and of the gateways about them.",
  scopes: ["media"],
  rows: [
    {
      title: "Now",
      panels: [
        stat("Take calls", "short", ['max(meeshy_media_nodes{state="ready"})'], { about: "As the gateway that sees most sees them.", steps: downTo(2, 1) }),
        stat("Workers", "short", [`sum(mediasoup_workers_total{${M}})`]),
        stat("Rooms", "short", [`sum(meeshy_node_rooms{${M}})`]),
        stat("People", "short", [`sum(meeshy_node_participants{${M}})`]),
        stat("Fullest", "percentunit", [`max(media_server_capacity_ratio{${M}})`], { max: 1, steps: upTo([0.7, "orange"], [0.9, "red"]) }),
        stat("Worst admission", "short", [`max(admission_state{${M}})`], { about: "0 normal, 1 quality reduced, 2 no screen share, 3 nobody new.", steps: upTo([1, "orange"], [3, "red"]) }),
        lines("By state", "short", [["max by (state) (meeshy_media_nodes)", "{{state}}"]], { about: "As the gateways see them.", stacked: true }),
        panel("table", "What runs", "short", [`max by (instance, version, region) (meeshy_build_info{${M}})`]),
        lines("Running since", "s", [[`time() - process_start_time_seconds{${M}}`, "{{instance}}"]]),
      ],
    },
    {
      title: "Load",
      panels: [
        lines("CPU", "percentunit", [[`sum by (job, instance) (${rate(`process_cpu_seconds_total{${M}}`)}) / on (job, instance) max by (job, instance) (meeshy_cpu_limit_cores{${M}})`, "{{instance}}"]], { about: "Of the cores it may use; the alert is at 80 %.", max: 1 }),
        lines("Memory", "bytes", [
          [`max by (instance) (process_resident_memory_bytes{${M}})`, "{{instance}}"],
          [`max by (instance) (nodejs_heap_size_total_bytes{${M}})`, "{{instance}} heap"],
          [`max by (instance) (meeshy_memory_limit_bytes{${M}})`, "{{instance}} limit"],
        ]),
        lines("Capacity", "percentunit", [[`max by (instance) (media_server_capacity_ratio{${M}})`, "{{instance}}"]], { max: 1 }),
        lines("Rooms and people", "short", [[`sum by (instance) (meeshy_node_rooms{${M}})`, "{{instance}} rooms"], [`sum by (instance) (meeshy_node_participants{${M}})`, "{{instance}} people"]]),
        lines("Admission and draining", "short", [[`max by (instance) (admission_state{${M}})`, "{{instance}} admission"], [`max by (instance) (meeshy_node_draining{${M}})`, "{{instance}} draining"]]),
        lines("File descriptors", "percentunit", [[`process_open_fds{${M}} / process_max_fds{${M}}`, "{{instance}}"]], { max: 1 }),
      ],
    },
    {
      title: "Workers",
      panels: [
        lines("Busy", "percentunit", [[`max by (instance, worker) (meeshy_worker_busy_ratio{${M}})`, "{{instance}} {{worker}}"]], { max: 1 }),
        lines("Packets", "pps", [[`sum by (instance, worker, direction) (meeshy_worker_packets_per_second{${M}})`, "{{instance}} {{worker}} {{direction}}"]]),
        lines("Wait of received packets", "s", [
          [`max by (instance, worker) (meeshy_worker_queue_delay_seconds{${M}})`, "{{instance}} {{worker}}"],
          [`max by (instance, worker) (meeshy_worker_queue_delay_max_seconds{${M}})`, "{{instance}} {{worker}} longest"],
        ]),
        lines("Waiting commands", "short", [[`max by (instance, worker) (meeshy_worker_waiting_commands{${M}})`, "{{instance}} {{worker}}"]]),
        lines("People by worker", "short", [[`sum by (instance, worker) (meeshy_worker_participants{${M}})`, "{{instance}} {{worker}}"]]),
        lines("Consumers by worker", "short", [[`sum by (instance, worker) (meeshy_worker_consumers{${M}})`, "{{instance}} {{worker}}"]]),
        lines("Piped between workers", "pps", [[sumRate("instance, direction", `meeshy_piped_packets_total{${M}}`), "{{instance}} {{direction}}"]]),
        lines("Piped producers", "short", [[`sum by (instance) (meeshy_piped_producers{${M}})`, "{{instance}}"]]),
        lines("Worker deaths", "short", [[`sum by (instance) (increase(meeshy_worker_deaths_total{${M}}[$__rate_interval]))`, "{{instance}}"]]),
      ],
    },
    {
      title: "Objects",
      panels: [
        lines("Routers and transports", "short", [[`sum(mediasoup_routers_total{${M}})`, "routers"], [`sum by (direction) (mediasoup_transports_total{${M}})`, "transports: {{direction}}"]]),
        lines("Producers and consumers", "short", [[`sum by (kind) (mediasoup_producers_total{${M}})`, "producers: {{kind}}"], [`sum by (kind) (mediasoup_consumers_total{${M}})`, "consumers: {{kind}}"]]),
        lines("Connected sockets", "short", [[`sum by (instance) (meeshy_node_sockets{${M}})`, "{{instance}}"]]),
        lines("Time to create (p95)", "s", [
          [quantile(0.95, ["kind"], "producer_creation_duration_seconds", M), "producer {{kind}}"],
          [quantile(0.95, ["kind"], "consumer_creation_duration_seconds", M), "consumer {{kind}}"],
        ]),
      ],
    },
  ],
};

const QUALITY = {
  uid: "meeshy-quality",
  title: "Quality",
  about: "How media arrives, as clients report it to the gateways and as media servers count it.",
  scopes: ["gateway", "media"],
  rows: [
    {
      title: "As clients report it",
      panels: [
        panel("heatmap", "Packet loss", "percentunit", [[`sum by (le) (increase(call_quality_packet_loss_ratio_bucket{${G}}[$__rate_interval]))`, "{{le}}"]], { about: "How many reports told of which share lost." }),
        lines("Packet loss", "percentunit", percentiles(["mode"], "call_quality_packet_loss_ratio", G), { about: "The target is 2 %, the alert at 5 %." }),
        lines("Round trip", "s", percentiles(["mode"], "call_quality_rtt_seconds", G)),
        lines("Jitter", "s", percentiles(["mode"], "call_quality_jitter_seconds", G)),
        lines("Bit rate received", "Kbits", percentiles(["mode"], "call_quality_bitrate_kbps", G)),
      ],
    },
    {
      title: "As media servers count it",
      panels: [
        lines("Forwarding latency", "s", [
          [quantile(0.5, [], "rtp_forward_latency_seconds", M), "p50"],
          [quantile(0.95, [], "rtp_forward_latency_seconds", M), "p95"],
          [quantile(0.99, [], "rtp_forward_latency_seconds", M), "p99"],
        ], { about: "From waking up for a packet to having sent what it led to." }),
        lines("Packet loss", "percent", [[`max by (instance, direction) (packet_loss_percentage{${M}})`, "{{instance}} {{direction}}"]]),
        lines("Packets", "pps", [[sumRate("direction", `rtp_packets_total{${M}}`), "{{direction}}"]]),
        lines("Bit rate", "bps", [[`8 * ${sumRate("direction", `rtp_bytes_total{${M}}`)}`, "{{direction}}"]]),
        lines("Lost and repeated", "pps", [[`sum(${rate(`rtp_packets_lost_total{${M}}`)})`, "never arrived"], [`sum(${rate(`rtx_packets_total{${M}}`)})`, "repeated"]]),
        lines("Asked again", "cps", [[sumRate("direction", `nack_total{${M}}`), "NACK {{direction}}"], [sumRate("direction", `pli_total{${M}}`), "key frames {{direction}}"]]),
        lines("Dropped", "pps", [[sumRate("reason", `meeshy_packets_dropped_total{${M}}`), "{{reason}}"]]),
        lines("Probes for bandwidth", "pps", [[`sum(${rate(`meeshy_probe_packets_total{${M}}`)})`, "sent"]]),
      ],
    },
  ],
};

const failed = (filter) =>
  `sum by (side) (increase(meeshy_ice_attempts_total{${filter}, result="failure"}[10m])) / sum by (side) (increase(meeshy_ice_attempts_total{${filter}}[10m]))`;

const CONNECTIONS = {
  uid: "meeshy-turn",
  title: "TURN and connections",
  about: "Whether media finds a way, and how much of it needs a TURN server.",
  scopes: ["gateway", "media"],
  rows: [
    {
      title: "TURN",
      panels: [
        stat("Calls that need it", "percentunit", [`sum(calls_using_relay_ratio{${G}} * calls_active_total{${G}}) / sum(calls_active_total{${G}})`], { steps: upTo([0.2, "orange"], [0.3, "red"]), about: "The alert is at 30 %." }),
        stat("People who need it", "short", [`sum(turn_relay_participants{${G}})`]),
        lines("TURN servers", "short", [["min by (url) (meeshy_turn_server_up)", "{{url}}"]], { about: "1 relays, 0 does not, as the gateways see them.", max: 1 }),
        lines("Relay share", "percentunit", [[`max by (instance) (calls_using_relay_ratio{${G}})`, "{{instance}}"]], { max: 1 }),
        lines("People through TURN", "short", [[`sum by (instance) (turn_relay_participants{${G}})`, "{{instance}}"]]),
        lines("Reports of relayed media", "cps", [[sumRate("mode", `meeshy_quality_reports_relayed_total{${G}}`), "{{mode}}"]]),
      ],
    },
    {
      title: "Connections",
      panels: [
        lines("ICE failures", "percentunit", [[failed(G), "{{side}}"], [failed(M), "{{side}}"]], { about: "Of the connections tried within ten minutes; the alert is at 10 %.", max: 1 }),
        lines("Connections tried", "cpm", [
          [`60 * ${sumRate("side, result", `meeshy_ice_attempts_total{${G}}`)}`, "{{side}} {{result}}"],
          [`60 * ${sumRate("side, result", `meeshy_ice_attempts_total{${M}}`)}`, "{{side}} {{result}}"],
        ]),
        lines("ICE failures, later ones included", "cpm", [[`60 * ${sumRate("side", `ice_failures_total{${G}}`)}`, "{{side}}"], [`60 * ${sumRate("side", `ice_failures_total{${M}}`)}`, "{{side}}"]]),
        lines("What clients say failed", "cpm", [[`60 * ${sumRate("transport", `meeshy_client_connection_failures_total{${G}}`)}`, "{{transport}}"]]),
        lines("Transports that failed", "cpm", [[`60 * ${sumRate("kind", `transport_errors_total{${M}}`)}`, "{{kind}}"]]),
        lines("Time to a secured path", "s", percentiles(["direction", "protocol"], "webrtc_transport_connection_duration_seconds", M)),
        lines("DTLS handshake", "s", percentiles([], "dtls_handshake_duration_seconds", M)),
        lines("ICE over TCP", "cpm", [[`60 * ${sumRate("outcome", `meeshy_tcp_connections_total{${M}}`)}`, "{{outcome}}"]]),
      ],
    },
  ],
};

const API = {
  uid: "meeshy-api",
  title: "API and gateway",
  about: "Requests, events, limits, the database, and what the gateways use.",
  scopes: ["gateway"],
  rows: [
    {
      title: "Requests",
      panels: [
        lines("Requests by status", "reqps", [[sumRate("status", `http_requests_total{${G}}`), "{{status}}"]]),
        lines("Requests by route", "reqps", [[sumRate("method, route", `http_requests_total{${G}}`), "{{method}} {{route}}"]]),
        lines("Errors of ours", "percentunit", [[`(sum(${rate(`http_requests_total{${G}, status=~"5.."}`)}) or vector(0)) / sum(${rate(`http_requests_total{${G}}`)})`, "5xx"]]),
        lines("API latency", "s", [0.5, 0.95, 0.99].map((share) => [quantile(share, [], "http_request_duration_seconds", `${G}, route!~".*bandwidth.*"`), `p${share * 100}`]), { about: "The target is 200 ms for 95 %." }),
        lines("API latency by route (p95)", "s", [[quantile(0.95, ["method", "route"], "http_request_duration_seconds", G), "{{method}} {{route}}"]]),
        lines("Socket.IO events", "cps", [[sumRate("event", `socketio_events_total{${G}}`), "{{event}}"]]),
      ],
    },
    {
      title: "Refused",
      panels: [
        lines("Limiter hits", "cpm", [[`60 * ${sumRate("scope", `rate_limit_rejections_total{${G}}`)}`, "{{scope}}"]], { about: "The alert is at 1000 an hour." }),
        lines("Tokens refused", "cpm", [[`60 * ${sumRate("service", "auth_failures_total")}`, "{{service}}"]], { about: "Of all servers; the alert is at 100 an hour." }),
        lines("Access denied", "cpm", [[`60 * ${sumRate("via", "meeshy_access_denied_total")}`, "{{via}}"]], { about: "Known people who tried what is not theirs; of all servers." }),
        lines("Refusals not in the audit log", "cpm", [[`60 * sum(${rate(`meeshy_refusals_unrecorded_total{${G}}`)})`, "unrecorded"]], { about: "Beyond 120 of one kind a minute only this counts them." }),
      ],
    },
    {
      title: "Database and process",
      panels: [
        lines("Database (p95)", "s", [[quantile(0.95, ["operation"], "db_query_duration_seconds", G), "{{operation}}"]]),
        lines("Database operations", "ops", [[sumRate("operation", `db_query_duration_seconds_count{${G}}`), "{{operation}}"]]),
        lines("CPU", "percentunit", [[`sum by (job, instance) (${rate(`process_cpu_seconds_total{${G}}`)}) / on (job, instance) max by (job, instance) (meeshy_cpu_limit_cores{${G}})`, "{{instance}}"]], { max: 1 }),
        lines("Memory", "bytes", [[`max by (instance) (process_resident_memory_bytes{${G}})`, "{{instance}}"], [`max by (instance) (meeshy_memory_limit_bytes{${G}})`, "{{instance}} limit"]]),
        lines("File descriptors", "percentunit", [[`process_open_fds{${G}} / process_max_fds{${G}}`, "{{instance}}"]], { max: 1 }),
        lines("Draining", "short", [[`max by (instance) (meeshy_gateway_draining{${G}})`, "{{instance}}"]]),
        panel("table", "What runs", "short", [`max by (instance, version) (meeshy_build_info{${G}})`]),
      ],
    },
  ],
};

/** Every dashboard; a file each, named after its uid. */
export const BOARDS = [CALLS, SWITCHING, NODES, QUALITY, CONNECTIONS, API];
