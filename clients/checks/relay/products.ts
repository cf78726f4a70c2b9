import { graphql } from "relay-runtime";

export const page = graphql`
  query productsPageQuery($first: Int!, $after: String, $query: String!) {
    ...products_list @arguments(first: $first, after: $after, query: $query)
    cart {
      id
      ...products_cart
    }
  }
`;

export const list = graphql`
  fragment products_list on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" }, query: { type: "String!" })
  @refetchable(queryName: "productsListQuery") {
    products(first: $first, after: $after, query: $query) @connection(key: "products_products") {
      edges {
        node {
          id
          title
          ...products_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment products_card on Product @refetchable(queryName: "productsCardQuery") {
    title
    media {
      url(size: SMALL)
    }
    priceRange {
      min {
        amount
      }
    }
  }
`;

export const cart = graphql`
  fragment products_cart on Cart {
    version
    lines {
      id
      quantity
    }
  }
`;

export const add = graphql`
  mutation productsCartLineAddMutation($input: CartLineAddInput!) {
    cartLineAdd(input: $input) {
      cart {
        ...products_cart
      }
      userErrors {
        code
        message
      }
    }
  }
`;

export const updates = graphql`
  subscription productsCartUpdatesSubscription($after: Int) {
    cartUpdates(after: $after) {
      version
      cart {
        ...products_cart
      }
    }
  }
`;
