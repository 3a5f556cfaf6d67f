//! Dependency descriptor header extension (AV1 RTP specification, appendix A).
//!
//! Three bytes are always there: start and end of the frame, the template that describes it, and its
//! number. Key frames attach the *structure*: the templates that later frames refer to. The reader keeps
//! the structure and follows from which frames on a decode target may be switched to.

use super::FrameInfo;
use super::bits::BitReader;

/// Most templates a structure can hold: identifiers have six bits.
const MAX_TEMPLATES: usize = 64;
/// Most decode targets: their count less one has five bits.
const MAX_TARGETS: usize = 32;
/// Length of a descriptor without any extended field.
const MANDATORY_LEN: usize = 3;

/// What a frame is to a decode target (DTI).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Indication {
    /// The target does not include the frame.
    NotPresent,
    /// No later frame of the target needs this one.
    Discardable,
    /// All later frames of the target can be decoded once this one is.
    Switch,
    /// Later frames of the target need this one.
    Required,
}

/// The indications of one frame, two bits per decode target.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Indications(u64);

impl Indications {
    fn read(reader: &mut BitReader<'_>, targets: u8) -> Option<Self> {
        let mut bits = 0;
        for target in 0..u32::from(targets) {
            bits |= u64::from(reader.bits(2)?) << (target * 2);
        }
        Some(Self(bits))
    }

    const fn of(self, target: u8) -> Indication {
        match (self.0 >> (target as u32 * 2)) & 3 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }
}

/// Which kinds of earlier frames a frame refers to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct References {
    inter_layer: bool,
    inter_picture: bool,
}

impl References {
    /// Frames are numbered one by one through the spatial layers of a picture, so a difference no larger
    /// than the spatial layer stays inside the picture.
    fn add(&mut self, difference: u32, spatial: u8) {
        if difference <= u32::from(spatial) {
            self.inter_layer = true;
        } else {
            self.inter_picture = true;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Layer {
    spatial: u8,
    temporal: u8,
}

#[derive(Clone, Copy, Default, Debug)]
struct Template {
    layer: Layer,
    indications: Indications,
    references: References,
}

/// The templates of a stream, valid until the next structure.
#[derive(Clone, Debug)]
struct Structure {
    id_offset: u8,
    targets: u8,
    chains: u8,
    templates: [Template; MAX_TEMPLATES],
    template_count: usize,
    /// The highest layers each decode target includes.
    target_layers: [Layer; MAX_TARGETS],
}

impl Structure {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        let mut structure = Self {
            id_offset: reader.byte(6)?,
            targets: reader.byte(5)? + 1,
            chains: 0,
            templates: [Template::default(); MAX_TEMPLATES],
            template_count: 0,
            target_layers: [Layer::default(); MAX_TARGETS],
        };
        structure.read_layers(reader)?;
        let targets = structure.targets;
        for template in structure.templates.get_mut(..structure.template_count)? {
            template.indications = Indications::read(reader, targets)?;
        }
        for template in structure.templates.get_mut(..structure.template_count)? {
            while reader.flag()? {
                template
                    .references
                    .add(reader.bits(4)? + 1, template.layer.spatial);
            }
        }
        structure.read_chains(reader)?;
        structure.find_target_layers();
        let spatial_layers = structure.templates().iter().map(|t| t.layer.spatial).max()? + 1;
        if reader.flag()? {
            for _ in 0..spatial_layers {
                reader.bits(32)?;
            }
        }
        Some(structure)
    }

    fn read_layers(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        let mut layer = Layer::default();
        loop {
            self.templates.get_mut(self.template_count)?.layer = layer;
            self.template_count += 1;
            match reader.bits(2)? {
                0 => {}
                1 => layer.temporal += 1,
                2 => {
                    layer = Layer {
                        spatial: layer.spatial + 1,
                        temporal: 0,
                    }
                }
                _ => return Some(()),
            }
            if layer.temporal > 7 || layer.spatial > 3 {
                return None;
            }
        }
    }

    fn read_chains(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        self.chains = reader.non_symmetric(u32::from(self.targets) + 1)? as u8;
        if self.chains == 0 {
            return Some(());
        }
        for _ in 0..self.targets {
            reader.non_symmetric(u32::from(self.chains))?;
        }
        for _ in 0..self.template_count * usize::from(self.chains) {
            reader.bits(4)?;
        }
        Some(())
    }

    fn find_target_layers(&mut self) {
        let templates = self.templates.get(..self.template_count).unwrap_or_default();
        for (target, highest) in (0..self.targets).zip(&mut self.target_layers) {
            for template in templates {
                if template.indications.of(target) != Indication::NotPresent {
                    highest.spatial = highest.spatial.max(template.layer.spatial);
                    highest.temporal = highest.temporal.max(template.layer.temporal);
                }
            }
        }
    }

    fn templates(&self) -> &[Template] {
        self.templates.get(..self.template_count).unwrap_or_default()
    }

    fn template(&self, id: u8) -> Option<Template> {
        let index = (id + 64 - self.id_offset) % 64;
        self.templates().get(usize::from(index)).copied()
    }
}

/// One descriptor, with the frame's layer and references looked up in the structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// First packet of the frame.
    pub start: bool,
    /// Last packet of the frame.
    pub end: bool,
    /// Number of the frame, across all layers, wrapping.
    pub frame_number: u16,
    /// A structure is attached: the frame begins a coded video sequence.
    pub structure_attached: bool,
    /// Decode targets the sender produces at present, lowest bit first; `None` if unchanged.
    pub active_targets: Option<u32>,
    /// Spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// The frame refers to a lower spatial layer of its picture.
    pub inter_layer: bool,
    /// The frame refers to earlier pictures.
    pub inter_picture: bool,
    /// A receiver of lower temporal layers may have this layer from here on.
    pub switch_up: bool,
}

impl Descriptor {
    pub(super) const fn frame_info(&self) -> FrameInfo {
        FrameInfo {
            key: self.start && self.structure_attached,
            start: self.start,
            end: self.end,
            spatial: self.spatial,
            temporal: self.temporal,
            switch_up: self.switch_up,
            inter_layer: self.inter_layer,
            inter_picture: self.inter_picture,
            picture: None,
        }
    }
}

/// The flags in front of the extended fields.
#[derive(Clone, Copy, Default)]
struct Extended {
    structure: bool,
    active_targets: bool,
    indications: bool,
    references: bool,
}

impl Extended {
    fn read(reader: &mut BitReader<'_>) -> Option<Self> {
        let flags = Self {
            structure: reader.flag()?,
            active_targets: reader.flag()?,
            indications: reader.flag()?,
            references: reader.flag()?,
        };
        // Custom chains come last and are of no interest here.
        reader.flag()?;
        Some(flags)
    }
}

/// Reads the descriptors of one stream.
#[derive(Clone, Default, Debug)]
pub struct DescriptorReader {
    structure: Option<Box<Structure>>,
    switching: Switching,
}

impl DescriptorReader {
    /// Reads a descriptor. `None` if it is malformed or refers to a structure that has not been seen;
    /// what is known then stays as it was.
    pub fn read(&mut self, data: &[u8]) -> Option<Descriptor> {
        let mut reader = BitReader::new(data);
        let (start, end) = (reader.flag()?, reader.flag()?);
        let template_id = reader.byte(6)?;
        let frame_number = reader.bits(16)? as u16;
        let extended = if data.len() > MANDATORY_LEN {
            Extended::read(&mut reader)?
        } else {
            Extended::default()
        };
        let attached = if extended.structure {
            Some(Structure::read(&mut reader)?)
        } else {
            None
        };
        let structure = attached.as_ref().or(self.structure.as_deref())?;
        let mut active_targets = attached.as_ref().map(|s| u32::MAX >> (32 - u32::from(s.targets)));
        if extended.active_targets {
            active_targets = Some(reader.bits(u32::from(structure.targets))?);
        }
        let frame = frame_template(&mut reader, structure, template_id, extended)?;
        let effect = structure.effect(&frame);
        if attached.is_some() {
            self.switching = Switching::default();
        }
        let switch_up = self.switching.follow(frame_number, effect) || attached.is_some();
        if let Some(structure) = attached {
            match &mut self.structure {
                Some(kept) => **kept = structure,
                none => *none = Some(Box::new(structure)),
            }
        }
        Some(Descriptor {
            start,
            end,
            frame_number,
            structure_attached: extended.structure,
            active_targets,
            spatial: frame.layer.spatial,
            temporal: frame.layer.temporal,
            inter_layer: frame.references.inter_layer,
            inter_picture: frame.references.inter_picture,
            switch_up,
        })
    }
}

/// The frame's template with what the descriptor replaces of it.
fn frame_template(
    reader: &mut BitReader<'_>,
    structure: &Structure,
    id: u8,
    extended: Extended,
) -> Option<Template> {
    let mut frame = structure.template(id)?;
    if extended.indications {
        frame.indications = Indications::read(reader, structure.targets)?;
    }
    if extended.references {
        frame.references = References::default();
        loop {
            let size = reader.bits(2)?;
            if size == 0 {
                break;
            }
            frame
                .references
                .add(reader.bits(size * 4)? + 1, frame.layer.spatial);
        }
    }
    Some(frame)
}

/// What a frame does to the decode targets; one bit per target.
#[derive(Clone, Copy, Default, Debug)]
struct Effect {
    /// The target that ends at the frame's layer, if there is one.
    own: u32,
    /// Targets that can be switched to at the frame.
    switch: u32,
    /// Targets that whoever receives all base frames can switch to from here on.
    opens: u32,
    /// Targets that are missed a frame of by whoever receives base frames only.
    breaks: u32,
}

impl Structure {
    fn effect(&self, frame: &Template) -> Effect {
        let mut effect = Effect::default();
        for (target, highest) in (0..self.targets).zip(&self.target_layers) {
            let bit = 1 << target;
            if *highest == frame.layer {
                effect.own |= bit;
            }
            match frame.indications.of(target) {
                Indication::NotPresent => {}
                Indication::Switch => {
                    effect.switch |= bit;
                    if frame.layer.temporal == 0 {
                        effect.opens |= bit;
                    }
                }
                // Lower spatial layers of the same picture come first and must not spoil the answer.
                Indication::Discardable | Indication::Required => {
                    if frame.layer.temporal > 0 && frame.layer.spatial == highest.spatial {
                        effect.breaks |= bit;
                    }
                }
            }
        }
        effect
    }
}

/// Follows which decode targets nothing has been missed of since the last base layer frame that one could
/// switch to them from. A higher frame is then a safe first one, for whoever has had all base frames.
#[derive(Clone, Copy, Default, Debug)]
struct Switching {
    /// One bit per decode target.
    open: u32,
    /// The newest frame and the answer given for it, which all its packets get.
    latest: Option<(u16, bool)>,
}

impl Switching {
    fn follow(&mut self, frame_number: u16, effect: Effect) -> bool {
        let itself = effect.own & effect.switch != 0;
        if let Some((latest, answer)) = self.latest {
            match frame_number.wrapping_sub(latest) {
                0 => return answer,
                1 => {}
                0x8000.. => return itself,
                // A frame is missing, and nobody knows what it was.
                _ => self.open = 0,
            }
        }
        let answer = itself || self.open & effect.own != 0;
        self.open = (self.open & !effect.breaks) | effect.opens;
        self.latest = Some((frame_number, answer));
        answer
    }
}

#[cfg(test)]
mod tests;
