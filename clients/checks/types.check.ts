// What a front end may rely on: names, nullability and enums of the generated types.
import type { MobileOrderQuery } from "./types/mobile";
import { TrackingParcelDocument, type TrackingParcelQuery } from "./types/tracking";
import { WebCartLineAddDocument, type WebCartLineAddMutationVariables, type WebHomeQuery } from "./types/web";

export const variables: WebCartLineAddMutationVariables = { input: { variantId: "VmFyaWFudDox", quantity: 1 } };
export const documents = [TrackingParcelDocument, WebCartLineAddDocument];

export function firstPrice(home: WebHomeQuery): string | undefined {
  return home.bestSelling.nodes[0]?.priceRange?.min.amount;
}

export function isDelivered(parcel: TrackingParcelQuery): boolean {
  return parcel.shipment?.status === "DELIVERED";
}

export function readOrder(order: MobileOrderQuery): string {
  // @ts-expect-error an order that is not the viewer's is null
  return order.order.number;
}

// @ts-expect-error a variant is named by its id
export const wrong: WebCartLineAddMutationVariables = { input: { quantity: 1 } };
