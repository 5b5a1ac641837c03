/** Errors as Resource Manager and App Service answer them, with the texts of the ones that ARM itself makes. */

/** `arm`: `{"error":{"code","message"}}`. `web`: App Service's own PascalCase body. */
export type ArmErrorShape = 'arm' | 'web';

export interface ArmErrorOptions {
  shape?: ArmErrorShape;
  headers?: Readonly<Record<string, string>>;
  /** More of the body's error object. */
  target?: string;
  details?: readonly unknown[];
  /** App Service's number of the message, e.g. 51004, and the message's own pattern and parameters. */
  extendedCode?: string;
  messageTemplate?: string;
  parameters?: readonly string[];
}

export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly shape: ArmErrorShape;
  readonly headers: Readonly<Record<string, string>>;
  readonly #options: ArmErrorOptions;

  constructor(status: number, code: string, message: string, options: ArmErrorOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.shape = options.shape ?? 'arm';
    this.headers = options.headers ?? {};
    this.#options = options;
  }

  /** The answer's body. */
  toBody(): object {
    const { code, message } = this;
    const { target, details } = this.#options;
    if (this.shape === 'arm') {
      return { error: { code, message, ...(target && { target }), ...(details && { details }) } };
    }
    const { extendedCode, messageTemplate = message, parameters = [] } = this.#options;
    const entity = {
      ExtendedCode: extendedCode ?? null,
      MessageTemplate: messageTemplate,
      Parameters: parameters,
    };
    const inner = { ...entity, Code: code, Message: message };
    return {
      ...{ Code: code, Message: message, Target: target ?? null },
      Details: [{ Message: message }, { Code: code }, { ErrorEntity: inner }],
      Innererror: null,
    };
  }
}

export function resourceNotFound(type: string, name: string, resourceGroup: string): ArmError {
  const message = `The Resource '${type}/${name}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`;
  return new ArmError(404, 'ResourceNotFound', message, { headers: GATEWAY });
}

export function resourceGroupNotFound(name: string): ArmError {
  const message = `Resource group '${name}' could not be found.`;
  return new ArmError(404, 'ResourceGroupNotFound', message, { headers: GATEWAY });
}

export function subscriptionNotFound(subscriptionId: string): ArmError {
  return new ArmError(
    404,
    'SubscriptionNotFound',
    `The subscription '${subscriptionId}' could not be found.`,
    {
      headers: GATEWAY,
    },
  );
}

export function invalidRequestContent(what: string): ArmError {
  const message = `The request content was invalid and could not be deserialized: '${what}'.`;
  return new ArmError(400, 'InvalidRequestContent', message, { headers: GATEWAY });
}

/** ARM's own errors say who made them. */
export const GATEWAY: Readonly<Record<string, string>> = { 'x-ms-failure-cause': 'gateway' };
