//! Codec-specific parameters: names to strings or numbers.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::field::{FieldError, FromJson, Object, Problem, deserialize_from_json};

/// Codec or header-extension parameters by name, in a stable order.
pub type Parameters = BTreeMap<String, ParameterValue>;

/// The value of one parameter.
///
/// SDP knows only text, so clients disagree on which values are numbers; [`ParameterValue::integer`] reads both.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterValue {
    /// A number, as JavaScript holds it.
    Number(f64),
    /// A string.
    Text(String),
}

impl ParameterValue {
    /// The value as a whole number, whether it was written as a number or as decimal digits.
    #[must_use]
    pub fn integer(&self) -> Option<u32> {
        match self {
            Self::Number(number) => {
                let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number);
                whole.then_some(*number as u32)
            }
            Self::Text(text) => text.parse().ok(),
        }
    }

    /// The value as text, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Text(text) => Some(text),
        }
    }
}

impl From<u32> for ParameterValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for ParameterValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for ParameterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Whole numbers below this are written without a fraction, as JavaScript writes them.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Number(number) if number.fract() == 0.0 && number.abs() < EXACT => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl FromJson for ParameterValue {
    fn from_json(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Null => Ok(Self::Text(String::new())),
            Value::String(text) => Ok(Self::Text(text.clone())),
            Value::Number(number) => number
                .as_f64()
                .map(Self::Number)
                .ok_or_else(|| FieldError::new(Problem::OutOfRange("a finite number"))),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(FieldError::new(Problem::Expected("a string or a number")))
            }
        }
    }
}

deserialize_from_json!(ParameterValue);

/// Reads the member `parameters`; anything but an object counts as none, as mediasoup has it.
///
/// `apt` is stored as a number even if it came as digits, so that every reader and every client finds a number.
pub(super) fn parameters(object: &Object<'_>) -> Result<Parameters, FieldError> {
    let Some(Value::Object(members)) = object.raw("parameters") else {
        return Ok(Parameters::new());
    };
    members
        .iter()
        .map(|(name, value)| Ok((name.clone(), parameter(name, value)?)))
        .collect()
}

fn parameter(name: &str, value: &Value) -> Result<ParameterValue, FieldError> {
    let within = |error: FieldError| error.within(name).within("parameters");
    let value = ParameterValue::from_json(value).map_err(within)?;
    if name != "apt" {
        return Ok(value);
    }
    let payload_type = value.integer().filter(|number| *number <= 127);
    payload_type.map(ParameterValue::from).ok_or_else(|| {
        within(FieldError::new(Problem::OutOfRange(
            "a payload type from 0 to 127",
        )))
    })
}

#[cfg(feature = "ts")]
impl ts_rs::TS for ParameterValue {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &ts_rs::Config) -> String {
        "string | number".to_owned()
    }

    fn inline(config: &ts_rs::Config) -> String {
        Self::name(config)
    }
}
