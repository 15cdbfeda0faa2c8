/** Gives a stream to a reader in pieces of these lengths, in turn; the buffer of a piece is overwritten after each call. */
export function inPieces(stream: Buffer, lengths: readonly number[], read: (piece: Buffer) => void): void {
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const piece = Buffer.from(stream.subarray(at, at + lengths[turn % lengths.length]!));
    at += piece.length;
    read(piece);
    piece.fill(0);
  }
}
