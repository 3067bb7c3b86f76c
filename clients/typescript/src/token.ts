// Access tokens by client credentials (RFC 6749, 4.4): fetched when they are needed, kept until shortly before they run out.

/** What a dealer's system signs in with. */
export interface Credentials {
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** Scopes with blanks between; without it the token has all that the credential has. */
  scope?: string;
  /** Instead of the `fetch` of the platform: one that logs, or goes through a proxy. */
  fetch?: typeof fetch;
}

/** The token endpoint refused. `error` is the word of RFC 6749, 5.2. */
export class TokenError extends Error {
  readonly error: string;
  readonly status: number;

  constructor(status: number, error: string, description: string) {
    super(`${error}: ${description}`);
    this.name = "TokenError";
    this.error = error;
    this.status = status;
  }
}

/** Seconds before its end from which a token is not used any more. */
const MARGIN = 30;

interface Token {
  value: string;
  /** Milliseconds, as the clock of this machine has them. */
  usableUntil: number;
}

/** Gives one token to all who ask, and fetches the next one once, however many wait for it. */
export class TokenSource {
  readonly #credentials: Credentials;
  #current: Promise<Token> | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** A token that holds for a while yet; never `refused`, which the service did not take. */
  async token(refused?: string): Promise<string> {
    const known = this.#current;
    const token = await known;
    if (token && token.value !== refused && token.usableUntil > Date.now()) return token.value;
    // Whoever comes first replaces it, the others wait for the same one.
    if (this.#current === known) this.#current = this.#fetched();
    return (await (this.#current ?? this.#fetched())).value;
  }

  /** The next token; a failure is told to those who wait for it, and forgotten. */
  #fetched(): Promise<Token> {
    const next = this.#fetch();
    next.catch(() => {
      if (this.#current === next) this.#current = undefined;
    });
    return next;
  }

  async #fetch(): Promise<Token> {
    const { baseUrl, clientId, clientSecret, scope } = this.#credentials;
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (scope !== undefined) form.set("scope", scope);
    const basic = btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`);
    const asked = Date.now();
    const answer = await (this.#credentials.fetch ?? fetch)(`${baseUrl}/v1/oauth/token`, {
      method: "POST",
      headers: { authorization: `Basic ${basic}`, accept: "application/json" },
      body: form,
    });
    const body: unknown = await answer.json().catch(() => undefined);
    const said = (name: string) => (typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined);
    const [value, seconds] = [said("access_token"), said("expires_in")];
    if (!answer.ok || typeof value !== "string" || typeof seconds !== "number") {
      throw new TokenError(answer.status, String(said("error") ?? "invalid_response"), String(said("error_description") ?? ""));
    }
    return { value, usableUntil: asked + Math.max(seconds - MARGIN, 1) * 1000 };
  }
}
