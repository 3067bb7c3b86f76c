// How Swagger UI begins here. It makes an Idempotency-Key for each Execute where the operation needs one and none is entered. In a sandbox it takes over
// whoever signed in on the start page, and keeps that token fresh.
window.onload = () => {
  const CALLER = "cps-sandbox-caller";
  const REFRESH_EVERY = 60_000;
  const made = new Map();

  const read = () => JSON.parse(localStorage.getItem(CALLER) ?? "null");
  const keep = (caller) => (caller ? localStorage.setItem(CALLER, JSON.stringify(caller)) : localStorage.removeItem(CALLER));
  const entered = () => ui.authSelectors.authorized().getIn(["bearer", "value"]);

  const freshKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const IdempotencyKeys = () => ({
    statePlugins: {
      spec: {
        wrapActions: {
          validateParams: (original, system) => (operation) => {
            const id = operation.join(" ");
            const parameters = system.specSelectors.operationWithMeta(...operation).get("parameters");
            const key = parameters?.find((one) => one.get("name") === "Idempotency-Key" && one.get("required"));
            if (key && (!key.get("value") || key.get("value") === made.get(id))) {
              made.set(id, freshKey());
              system.specActions.changeParamByIdentity(operation, key, made.get(id), false);
            }
            return original(operation);
          },
        },
      },
    },
  });

  const authorize = (token) => ui.preauthorizeApiKey("bearer", token);

  const post = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return answer.ok ? answer.json() : null;
  };

  /** A fresh token for who signed in, unless another was entered or this one taken out meanwhile. */
  const refresh = async () => {
    const caller = read();
    if (!caller || entered() !== caller.token) return;
    if (!caller.refresh) return;
    const session =
      (await post("/v1/sessions/refresh", { refresh_token: caller.refresh })) ??
      (caller.password && (await post("/v1/sessions", { email: caller.name, password: caller.password })));
    if (!session || read()?.token !== caller.token) return;
    keep({ ...caller, token: session.access_token, refresh: session.refresh_token });
    authorize(session.access_token);
  };

  const takeOver = () => {
    const caller = read();
    if (!caller || !ui.specSelectors.specJson().hasIn(["paths", "/v1/sandbox"])) return;
    authorize(caller.token);
    refresh();
    setInterval(refresh, REFRESH_EVERY);
  };

  const isSandboxes = (url) => ["/v1/sandbox/clock", "/v1/sandbox/reset"].includes(new URL(url, location.href).pathname);

  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    tryItOutEnabled: true,
    persistAuthorization: true,
    displayRequestDuration: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, IdempotencyKeys],
    layout: "StandaloneLayout",
    onComplete: takeOver,
    responseInterceptor: (response) => {
      // The clock has gone on, or all sessions have ended: what is entered holds no longer.
      if (response.status === 401 || isSandboxes(response.url)) refresh();
      return response;
    },
  });
};
