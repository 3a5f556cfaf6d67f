//! JSON in which an object is an object, however deep it lies.
//!
//! Serde reads a list as a struct, too: its entries as the members, in order. Where all members are optional, `[]`
//! would then pass for a request. So whatever comes from outside is read through here.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde_json::Value;

/// Reads a text as `T`.
///
/// # Errors
/// If it is not JSON, not a `T`, or has a list where a `T` has an object.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Strict(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// Reads a value as `T`.
///
/// # Errors
/// If it is not a `T`, or has a list where a `T` has an object.
pub fn from_value<T: DeserializeOwned>(value: Value) -> serde_json::Result<T> {
    T::deserialize(Strict(value))
}

/// Passes everything on, but no list to whoever expects a struct.
struct Strict<D>(D);

/// What is inside a list, an object or an enum: passed on in the same way.
struct Inside<A>(A);

/// Whoever takes what was read.
struct Taker<V> {
    visitor: V,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Anything,
    /// A struct.
    Object,
}

const fn any<V>(visitor: V) -> Taker<V> {
    Taker {
        visitor,
        expected: Expected::Anything,
    }
}

const fn object<V>(visitor: V) -> Taker<V> {
    Taker {
        visitor,
        expected: Expected::Object,
    }
}

macro_rules! pass_on {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(any(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, object(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, any(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, any(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, any(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, any(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, any(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! take {
    ($($method:ident: $value:ty),* $(,)?) => {
        $(fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Taker<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    take! {
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Strict(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        match self.expected {
            Expected::Anything => self.visitor.visit_seq(Inside(list)),
            Expected::Object => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Inside(object))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Inside(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Inside<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(value))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Inside(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(Inside(seed))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Inside(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Inside<A> {
    type Error = A::Error;
    type Variant = Inside<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Inside<A::Variant>), A::Error> {
        let (value, variant) = self.0.variant_seed(Inside(seed))?;
        Ok((value, Inside(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Inside(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, object(visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Wish {
        much: Option<u8>,
        inner: Option<Box<Self>>,
        many: Vec<Self>,
        named: BTreeMap<String, Self>,
        choice: Option<Choice>,
        new: New,
        pair: (u8, String),
        ratio: f64,
        any: Value,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Choice {
        None,
        One(Box<Wish>),
        Fields { wish: Option<u8> },
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct New(Vec<u8>);

    #[test]
    fn what_serde_reads_is_read_alike() {
        let table = [
            json!({}),
            json!({"much": 3, "inner": {"much": null, "inner": {}}, "unknown": [1, {"a": []}]}),
            json!({"many": [{}, {"much": 1}], "named": {"a": {"ratio": 1.5}, "b": {"ratio": -2}}}),
            json!({"choice": "none"}),
            json!({"choice": {"one": {"much": 1}}}),
            json!({"choice": {"fields": {"wish": 9}}}),
            json!({"new": [1, 2], "pair": [7, "x"], "any": [{"a": [1]}, null, true, "x"]}),
        ];
        for value in table {
            let text = value.to_string();
            let plain: Wish = serde_json::from_str(&text).expect("serde reads it");
            assert_eq!(
                from_slice::<Wish>(text.as_bytes()).ok().as_ref(),
                Some(&plain),
                "{text}"
            );
            assert_eq!(from_value::<Wish>(value).ok(), Some(plain), "{text}");
        }
    }

    #[test]
    fn a_list_is_no_object_at_any_depth() {
        let table = [
            json!([]),
            json!([3]),
            json!({"inner": []}),
            json!({"inner": {"inner": [4]}}),
            json!({"many": [[]]}),
            json!({"many": [{}, [1]]}),
            json!({"named": {"a": []}}),
            json!({"choice": {"one": []}}),
            json!({"choice": {"one": {"inner": []}}}),
            json!({"choice": {"fields": [1]}}),
        ];
        for value in table {
            let text = value.to_string();
            assert!(from_slice::<Wish>(text.as_bytes()).is_err(), "{text}");
            assert!(from_value::<Wish>(value).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_or_more_than_one_is_refused() {
        let table: [&[u8]; 6] = [b"", b"{", b"{} {}", b"{}x", b"\xff", b"{\"much\":1,\"much\":2}"];
        for text in table {
            assert!(from_slice::<Wish>(text).is_err(), "{}", text.escape_ascii());
        }
    }
}
