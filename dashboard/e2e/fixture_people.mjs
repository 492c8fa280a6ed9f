/** Who uses the fixture, with which keys. */
export const me = () => ({
  user: { id: "u1", name: "Ada", email: "ada@example.org" },
  projects: [
    { slug: "demo", name: "Shop · production", role: "admin" },
    { slug: "stage", name: "Shop · staging", role: "operator" },
  ],
  csrf: null,
  server: { version: "2.0.0", now_at: Date.now() },
  args_visible: true,
});
export const onboarding = (isEmpty) => ({
  dsn_hint: "https://z4k_aaaq…@z4j.example.com/demo",
  agents: isEmpty ? 0 : 5,
  steps: [
    ["key_used", "wrong secret for key z4k_aaaq… from 10.0.0.4, 9 s ago"],
    ["agent_connected", ""],
    ["definitions", ""],
    ["first_event", ""],
    ["command_ok", ""],
  ].map(([id, text]) => ({ id, done: !isEmpty, detail: text })),
  refused: [],
});
export const keyList = [
  {
    cred_id: "c1",
    key_id: "z4k_aaaq7m2p",
    kid: 1,
    label: "web and batch",
    created_at: Date.now() - 8.6e8,
    last_used_at: Date.now() - 900,
    sessions: 5,
  },
  {
    cred_id: "c2",
    key_id: "z4k_bx93ka0t",
    kid: 2,
    label: "laptop",
    created_at: Date.now() - 8.6e7,
    last_used_at: null,
    sessions: 0,
  },
];
export const refusedList = [
  {
    at: Date.now() - 9000,
    key_id: "z4k_aaaq7m2p",
    from: "10.0.0.4",
    reason: "wrong secret",
    detail: "the client's proof does not fit this key",
  },
];
