/**
 * What a handler needs of a connection, whatever carries its messages.
 *
 * @module
 */

/** Options for {@linkcode MessageConn.receive}. */
export interface ReceiveOptions {
  /** Gives up waiting. Nothing is lost: the next `receive` gets the message. */
  signal?: AbortSignal | undefined;
}

/** Options for what waits until something is sent, or until the peer has finished. */
export interface SendOptions {
  /**
   * Gives up waiting: the call rejects with the signal's reason. If it has aborted before the call, nothing is done. If it
   * aborts later, what the call has begun continues: what was queued leaves as a whole, never a part of a frame.
   */
  signal?: AbortSignal | undefined;
}

/**
 * A connection that carries whole text messages. `FramedConn` is one over TCP; a WebSocket can be another.
 *
 * A handler that takes this interface in place of `FramedConn` runs over any of them.
 */
export interface MessageConn {
  /** Whether `close` was called. */
  readonly closed: boolean;
  /** How many bytes of what was sent the operating system has not taken yet. */
  readonly queuedBytes: number;
  /** How many bytes the operating system has taken since the start. */
  readonly writtenBytes: number;
  /** The longest body that is sent or accepted, in bytes. A new limit applies from the next message on. */
  maxBodyBytes: number;
  /** Receives the next text, or `null` when the peer finished or the connection was closed. One may be pending. */
  receive(options?: ReceiveOptions): Promise<string | null>;
  /** Sends one text. Settles when the caller may send the next one. */
  send(text: string, options?: SendOptions): Promise<void>;
  /**
   * Sends one message that is already encoded, as `encodeFrame` makes it. The bytes are not copied, so they must not
   * change any more. A connection that frames messages in another way sends the body of the frame.
   */
  sendFrame(frame: Uint8Array, options?: SendOptions): Promise<void>;
  /** Ends the conversation from this side: a pending and every later `receive` gives `null`. Sending still works. */
  closeRead(): void;
  /** Settles when `closeRead` or `close` was called, also while nothing is received. */
  readonly readClosed: Promise<void>;
  /** Closes the connection; what was sent before still leaves. Closing again does nothing. */
  close(): void;
}
