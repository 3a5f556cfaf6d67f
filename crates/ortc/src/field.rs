//! Reading the wire types from JSON with errors that name the field, such as `codecs[1].payloadType: missing`.
//!
//! One reading of each type serves both `serde` (whole messages) and [`Checked`] (a part of a message that has an
//! error code of its own). Unknown fields are ignored and `null` counts as absent, as mediasoup treats both.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A field that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if path.is_empty() { "value" } else { path.as_str() })]
pub struct FieldError {
    /// Where the field is, from the outermost object inwards: `codecs[1].parameters.apt`. Empty for the object
    /// itself.
    pub path: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is mandatory and absent, `null` or empty.
    Missing,
    /// It must be of another JSON type, the one named.
    Expected(&'static str),
    /// It is a number outside of the named range.
    OutOfRange(&'static str),
    /// It is a string that names nothing known; the known ones are given.
    Unknown(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::OutOfRange(range) => write!(f, "must be {range}"),
            Self::Unknown(known) => write!(f, "must be one of {known}"),
        }
    }
}

impl FieldError {
    /// An error of the value itself; [`FieldError::within`] adds the way to it.
    pub(crate) const fn new(problem: Problem) -> Self {
        Self {
            path: String::new(),
            problem,
        }
    }

    pub(crate) fn within(mut self, key: &str) -> Self {
        self.path = match self.path.as_bytes().first() {
            None => key.to_owned(),
            Some(b'[') => format!("{key}{}", self.path),
            Some(_) => format!("{key}.{}", self.path),
        };
        self
    }

    fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

/// A type that can be read from JSON, saying which field stands in the way.
pub trait FromJson: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// Names the first field that is missing or unusable.
    fn from_json(value: &Value) -> Result<Self, FieldError>;
}

/// A part of a message whose reading may fail without failing the message around it.
///
/// The contract answers unusable RTP parameters with `INVALID_RTP_PARAMETERS`, not with `INVALID_REQUEST`; so a
/// request holds them as `Checked` and its reader decides the code. Writing an unusable value is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<T>(
    /// The value, or what is wrong with it.
    pub Result<T, FieldError>,
);

impl<T> Checked<T> {
    /// Wraps a usable value.
    pub const fn new(value: T) -> Self {
        Self(Ok(value))
    }

    /// The value.
    ///
    /// # Errors
    /// Says what is wrong with it, with the path starting at the name of the member that holds it.
    pub fn named(self, member: &str) -> Result<T, FieldError> {
        self.0.map_err(|error| error.within(member))
    }
}

impl<T> Default for Checked<T> {
    /// A value that is not there.
    fn default() -> Self {
        Self(Err(FieldError::new(Problem::Missing)))
    }
}

impl<T> From<T> for Checked<T> {
    fn from(value: T) -> Self {
        Self(Ok(value))
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(T::from_json(&value)))
    }
}

impl<T: Serialize> Serialize for Checked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(value) => value.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// Gives types with [`FromJson`] the matching `Deserialize`.
macro_rules! deserialize_from_json {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::field::FromJson::from_json(&value).map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use deserialize_from_json;

/// The members of an object.
pub(crate) struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    pub(crate) fn new(value: &'a Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(FieldError::new(Problem::Expected("an object"))),
        }
    }

    /// The member, unless absent or `null`.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn required<T: FromJson>(&self, key: &str) -> Result<T, FieldError> {
        self.optional(key)?
            .ok_or_else(|| FieldError::new(Problem::Missing).within(key))
    }

    pub(crate) fn optional<T: FromJson>(&self, key: &str) -> Result<Option<T>, FieldError> {
        self.raw(key)
            .map(T::from_json)
            .transpose()
            .map_err(|error| error.within(key))
    }

    /// An array; absent is an empty one.
    pub(crate) fn list<T: FromJson>(&self, key: &str) -> Result<Vec<T>, FieldError> {
        self.raw(key).map_or_else(
            || Ok(Vec::new()),
            |value| list(value).map_err(|error| error.within(key)),
        )
    }

    /// A string that is there and not empty.
    pub(crate) fn text(&self, key: &str) -> Result<String, FieldError> {
        self.optional_text(key)?
            .ok_or_else(|| FieldError::new(Problem::Missing).within(key))
    }

    /// A string; an empty one counts as absent.
    pub(crate) fn optional_text(&self, key: &str) -> Result<Option<String>, FieldError> {
        Ok(self.optional::<String>(key)?.filter(|text| !text.is_empty()))
    }
}

fn list<T: FromJson>(value: &Value) -> Result<Vec<T>, FieldError> {
    let Value::Array(items) = value else {
        return Err(FieldError::new(Problem::Expected("an array")));
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| T::from_json(item).map_err(|error| error.at(index)))
        .collect()
}

/// A whole number, also where JSON spells it with a fraction (`90000.0`), as JavaScript makes no difference.
pub(crate) fn integer(value: &Value) -> Option<u64> {
    /// The largest whole number up to which a double holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        let whole = float.fract() == 0.0 && (0.0..=EXACT).contains(&float);
        whole.then_some(float as u64)
    })
}

fn number(value: &Value, max: u64, range: &'static str) -> Result<u64, FieldError> {
    if !value.is_number() {
        return Err(FieldError::new(Problem::Expected("a number")));
    }
    integer(value)
        .filter(|number| *number <= max)
        .ok_or_else(|| FieldError::new(Problem::OutOfRange(range)))
}

impl FromJson for u8 {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        number(value, Self::MAX.into(), "0 to 255").map(|number| number as Self)
    }
}

impl FromJson for u32 {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        number(value, Self::MAX.into(), "0 to 4294967295").map(|number| number as Self)
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        value
            .as_bool()
            .ok_or_else(|| FieldError::new(Problem::Expected("a boolean")))
    }
}

impl FromJson for String {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| FieldError::new(Problem::Expected("a string")))
    }
}

#[cfg(feature = "ts")]
impl<T: ts_rs::TS> ts_rs::TS for Checked<T> {
    type WithoutGenerics = T::WithoutGenerics;
    type OptionInnerType = Self;

    fn name(config: &ts_rs::Config) -> String {
        T::name(config)
    }

    fn inline(config: &ts_rs::Config) -> String {
        T::inline(config)
    }

    fn visit_dependencies(visitor: &mut impl ts_rs::TypeVisitor)
    where
        Self: 'static,
    {
        T::visit_dependencies(visitor);
    }

    fn visit_generics(visitor: &mut impl ts_rs::TypeVisitor)
    where
        Self: 'static,
    {
        T::visit_generics(visitor);
        visitor.visit::<T>();
    }
}

#[cfg(test)]
mod tests;
