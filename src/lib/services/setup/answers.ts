/** What the wizard has to know before it can plan: one value for each question, whoever answered it. Pure data. */
import type { Target } from '../../../protocol/target.ts';
import type { App } from '../../arm/apps.ts';
import type { Namespace } from '../../arm/namespaces.ts';

/** One that is there, or one to be made. */
export type NamespaceAnswer =
  | { readonly kind: 'existing'; readonly namespace: Namespace }
  | {
      readonly kind: 'new';
      readonly name: string;
      readonly resourceGroup: string;
      /** The resource group is to be made, too. */
      readonly newResourceGroup: boolean;
      readonly location: string;
    };

export interface SetupAnswers {
  /** The app or slot that is to reach the target; undefined: none for now. */
  readonly app: App | undefined;
  readonly target: Target;
  readonly namespace: NamespaceAnswer;
  /** Name of the hybrid connection. */
  readonly connection: string;
  /** The listener runs here, at once. */
  readonly listen: boolean;
}

/** The resource id, which is never ambiguous. Of the app, where it is a slot: that has a flag of its own. */
export function appId({ subscriptionId, resourceGroup, name }: App): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${name}`;
}

export function namespaceName(answer: NamespaceAnswer): string {
  return answer.kind === 'existing' ? answer.namespace.name : answer.name;
}

/** `NAMESPACE/NAME`. */
export function connectionOf({ namespace, connection }: SetupAnswers): string {
  return `${namespaceName(namespace)}/${connection}`;
}
