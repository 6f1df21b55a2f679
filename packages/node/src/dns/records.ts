/** The resource records that a cluster's DNS has. Names are lower case and without the final dot. */
export type DnsRecord =
  | { readonly type: "A"; readonly name: string; readonly address: string }
  | { readonly type: "CNAME" | "PTR"; readonly name: string; readonly domain: string }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly port: number;
      readonly target: string;
      readonly weight: number;
    }
  | { readonly type: "TXT"; readonly name: string; readonly data: string };

export interface DnsAnswer {
  /** NXDOMAIN only where there is nothing of any type at the name and below it (RFC 8020). */
  readonly code: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly DnsRecord[];
  /** What spares the asker a second question, such as the addresses of SRV targets. */
  readonly additionals: readonly DnsRecord[];
}

export type QuestionType = DnsRecord["type"] | "ANY" | "other";

export const nothing: DnsAnswer = { code: "NXDOMAIN", answers: [], additionals: [] };
export const empty: DnsAnswer = { code: "NOERROR", answers: [], additionals: [] };
