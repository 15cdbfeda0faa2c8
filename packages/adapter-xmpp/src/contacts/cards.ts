import { type AdapterContext, errorMessage } from '@magpie/contract';
import { type CardFacts, type CardRule, createCardFinder } from './card-patterns.ts';
import { type Photo, readPhoto } from './photos.ts';

/** What a contact is called and looks like. */
export interface Card extends Omit<CardFacts, 'photo'> {
  readonly photo?: Photo | undefined;
}

/** The cards of a component's contacts, by the rules of its configuration. One per connection. */
export class Cards {
  readonly #rules: readonly CardRule[];
  readonly #find: (contact: string) => CardFacts;
  readonly #context: Pick<AdapterContext, 'detail'>;
  #photos = new Map<string, Photo>();

  constructor(rules: readonly CardRule[], context: Pick<AdapterContext, 'detail'>) {
    this.#rules = rules;
    this.#find = createCardFinder(rules);
    this.#context = context;
  }

  /** Reads the pictures. Called at every connect; what cannot be read is said in the details, and its contacts have none. */
  async load(): Promise<void> {
    const paths = new Set(this.#rules.flatMap(({ photo }) => photo ?? []));
    const photos = new Map<string, Photo>();
    for (const path of paths) {
      try {
        photos.set(path, await readPhoto(path));
        this.#context.detail(`photo ${path}`, undefined);
      } catch (error) {
        this.#context.detail(`photo ${path}`, errorMessage(error), 'trouble');
      }
    }
    this.#photos = photos;
  }

  /** The card of a contact. */
  of(contact: string): Card {
    const { photo, ...facts } = this.#find(contact);
    return { ...facts, photo: photo === undefined ? undefined : this.#photos.get(photo) };
  }
}
