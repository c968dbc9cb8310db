/** Something that says when it changed. Views watch; the model knows nothing of them. */
export class Watched {
  private readonly watchers = new Set<() => void>()

  /** Calls back after each change, until the returned function is called. */
  watch(changed: () => void): () => void {
    this.watchers.add(changed)
    return () => this.watchers.delete(changed)
  }

  protected changed(): void {
    for (const tell of [...this.watchers]) tell()
  }
}
