import { attribute, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/** A query for an entity's features (XEP-0030). */
export const discoQuery = (): Element => xml('query', { xmlns: NS.discoInfo });

/** Whether the answer to it lists a feature. */
export const announces = (answer: Element, feature: string): boolean =>
  attribute(answer, 'type') === 'result' &&
  (answer.getChild('query', NS.discoInfo)?.getChildren('feature') ?? []).some(
    (child) => attribute(child, 'var') === feature,
  );
