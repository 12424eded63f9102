/**
 * The types of `parseArgs`: what it is told, and what follows from that for its result.
 *
 * @module
 */

/** What the flags become: each with its type, under its name and under its aliases. */
export type Values<
  B extends string | undefined,
  S extends string | undefined,
  C extends string | undefined,
  N extends string | undefined,
  D,
  A,
> =
  & Record<string, unknown>
  & Aliased<
    & { [K in Exclude<S, C | keyof D | undefined>]?: string | Negated<K, N> }
    & { [K in Extract<Exclude<S, C>, keyof D>]: string | Negated<K, N> | D[K] }
    & { [K in Exclude<B, C | undefined>]: boolean | Default<K, D> }
    & { [K in Extract<S & C, string>]: string[] | Negated<K, N> | Default<K, D> }
    & { [K in Extract<B & C, string>]: boolean[] | Default<K, D> }
    & { [K in Exclude<C, S | B | undefined>]: unknown[] | Negated<K, N> | Default<K, D> }
    & { [K in Exclude<keyof D, S | B | C>]: unknown },
    A
  >;

/** `false`, for a flag that can be negated. */
export type Negated<K, N> = K extends N ? false : never;

/** The type of a flag's default. */
export type Default<K, D> = K extends keyof D ? D[K] : never;

/** The same values, under the aliases too. */
export type Aliased<T, A> = {
  [
    K in keyof T as
      | K
      | (K extends keyof A ? A[K] extends ReadonlyArray<infer Alias> ? Alias & string
        : A[K] & string
        : never)
  ]: T[K];
};

/** What `parseArgs` returns. */
export type Args<
  // deno-lint-ignore no-explicit-any
  T extends Record<string, unknown> = Record<string, any>,
  DoubleDash extends boolean | undefined = undefined,
> =
  & T
  & {
    /** The arguments that belong to no flag. */
    _: Array<string | number>;
  }
  & (true extends DoubleDash ? {
      /** The arguments after `--`. */
      "--": string[];
    }
    : unknown);

/** Options of `parseArgs`. A name that has aliases lends them its type. */
export interface ParseOptions<
  B extends string | undefined = string | undefined,
  S extends string | undefined = string | undefined,
  C extends string | undefined = string | undefined,
  N extends string | undefined = string | undefined,
  D extends Record<string, unknown> | undefined = Record<string, unknown> | undefined,
  A extends Record<string, string | readonly string[]> | undefined =
    | Record<string, string | readonly string[]>
    | undefined,
  DoubleDash extends boolean | undefined = boolean | undefined,
> {
  /**
   * Whether the arguments after `--` are kept apart, in `"--"`.
   *
   * @default {false}
   */
  "--"?: DoubleDash;
  /**
   * Other names of flags.
   *
   * @default {{}}
   */
  alias?: A;
  /**
   * The flags that take no value; they are `false` when absent. `true` makes every `--name` one of them.
   *
   * @default {false}
   */
  boolean?: B | boolean | ReadonlyArray<Extract<B, string>>;
  /**
   * Values of absent flags.
   *
   * @default {{}}
   */
  default?: D;
  /**
   * Whether the first argument that belongs to no flag ends the flags.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /**
   * The flags whose value stays a text; the value of any other becomes a number when it looks like one.
   *
   * @default {[]}
   */
  string?: S | ReadonlyArray<Extract<S, string>>;
  /**
   * The flags that may be given many times and become a list; of any other the last one counts.
   *
   * @default {[]}
   */
  collect?: C | ReadonlyArray<Extract<C, string>>;
  /**
   * The flags for which `--no-name` means `false`.
   *
   * @default {[]}
   */
  negatable?: N | ReadonlyArray<Extract<N, string>>;
  /** Called for each argument that no other option names; `false` leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
