//! [`AnySubModule`]: a sub-module of any crate as a Burn module.
//!
//! Burn's `Module`, its visitors and its mappers are generic and so not object safe. Here each of
//! their methods is given an object-safe twin that passes a parameter as `Any` together with its
//! rank; the rank says to which type to cast it back.

use super::{Builder, Gate, SubModule};
use autogrow_kernels::FeatureMap;
use burn::module::{
    Content, Devices, Flag, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor, Param,
};
use burn::tensor::{Bool, Device, Int, Tensor};
use std::any::Any;

/// Any sub-module, boxed; a Burn `Module` like the one inside.
pub struct AnySubModule<Output: 'static = FeatureMap>(Box<dyn Erased<Output>>);

impl<Output: 'static> AnySubModule<Output> {
    /// Boxes a sub-module.
    pub fn new(sub_module: impl SubModule<Output> + 'static) -> Self {
        Self(Box::new(sub_module))
    }

    /// See [`SubModule::forward`].
    pub fn forward(&self, input: FeatureMap) -> Output {
        self.0.forward(input)
    }

    /// See [`SubModule::gates`].
    pub fn gates(&mut self) -> Vec<Gate<'_>> {
        self.0.gates()
    }

    /// See [`SubModule::closing`].
    pub fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        self.0.closing(builder)
    }

    /// See [`SubModule::describe`].
    pub fn describe(&self, input: FeatureMap) -> Output {
        self.0.describe(input)
    }
}

/// [`SubModule`] and `Module` together, object safe.
trait Erased<Output>: Send {
    fn forward(&self, input: FeatureMap) -> Output;
    fn gates(&mut self) -> Vec<Gate<'_>>;
    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule>;
    fn describe(&self, input: FeatureMap) -> Output;
    fn debug(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result;
    fn content(&self, content: Content) -> Option<Content>;
    fn collect_devices(&self, devices: Devices) -> Devices;
    fn boxed_clone(&self) -> Box<dyn Erased<Output>>;
    fn fork(self: Box<Self>, device: &Device) -> Box<dyn Erased<Output>>;
    fn to_device(self: Box<Self>, device: &Device) -> Box<dyn Erased<Output>>;
    fn train(self: Box<Self>) -> Box<dyn Erased<Output>>;
    fn valid(&self) -> Box<dyn Erased<Output>>;
    fn materialize(self: Box<Self>) -> Box<dyn Erased<Output>>;
    fn visit(&self, visitor: &mut dyn ErasedVisitor);
    fn map(self: Box<Self>, mapper: &mut dyn ErasedMapper) -> Box<dyn Erased<Output>>;
}

impl<Output: 'static, M: SubModule<Output> + 'static> Erased<Output> for M {
    fn forward(&self, input: FeatureMap) -> Output {
        SubModule::forward(self, input)
    }
    fn gates(&mut self) -> Vec<Gate<'_>> {
        SubModule::gates(self)
    }
    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        SubModule::closing(self, builder)
    }
    fn describe(&self, input: FeatureMap) -> Output {
        SubModule::describe(self, input)
    }
    fn debug(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
    fn content(&self, content: Content) -> Option<Content> {
        ModuleDisplayDefault::content(self, content)
    }
    fn collect_devices(&self, devices: Devices) -> Devices {
        Module::collect_devices(self, devices)
    }
    fn boxed_clone(&self) -> Box<dyn Erased<Output>> {
        Box::new(self.clone())
    }
    fn fork(self: Box<Self>, device: &Device) -> Box<dyn Erased<Output>> {
        Box::new(Module::fork(*self, device))
    }
    fn to_device(self: Box<Self>, device: &Device) -> Box<dyn Erased<Output>> {
        Box::new(Module::to_device(*self, device))
    }
    fn train(self: Box<Self>) -> Box<dyn Erased<Output>> {
        Box::new(Module::train(*self))
    }
    fn valid(&self) -> Box<dyn Erased<Output>> {
        Box::new(Module::valid(self))
    }
    fn materialize(self: Box<Self>) -> Box<dyn Erased<Output>> {
        Box::new(Module::materialize(*self))
    }
    fn visit(&self, visitor: &mut dyn ErasedVisitor) {
        Module::visit(self, &mut Visiting(visitor));
    }
    fn map(self: Box<Self>, mapper: &mut dyn ErasedMapper) -> Box<dyn Erased<Output>> {
        Box::new(Module::map(*self, &mut Mapping(mapper)))
    }
}

impl<Output: 'static> std::fmt::Debug for AnySubModule<Output> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.debug(f)
    }
}

impl<Output: 'static> Clone for AnySubModule<Output> {
    fn clone(&self) -> Self {
        Self(self.0.boxed_clone())
    }
}

impl<Output: 'static> ModuleDisplayDefault for AnySubModule<Output> {
    fn content(&self, content: Content) -> Option<Content> {
        self.0.content(content)
    }
}

impl<Output: 'static> ModuleDisplay for AnySubModule<Output> {}

impl<Output: 'static> Module for AnySubModule<Output> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.0.collect_devices(devices)
    }
    fn fork(self, device: &Device) -> Self {
        Self(self.0.fork(device))
    }
    fn to_device(self, device: &Device) -> Self {
        Self(self.0.to_device(device))
    }
    fn train(self) -> Self {
        Self(self.0.train())
    }
    fn valid(&self) -> Self {
        Self(self.0.valid())
    }
    fn materialize(self) -> Self {
        Self(self.0.materialize())
    }
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.0.visit(&mut Erase(visitor));
    }
    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        Self(self.0.map(&mut Erase(mapper)))
    }
}

/// Wraps a generic visitor or mapper so that it can be passed as a trait object.
struct Erase<'a, T>(&'a mut T);

/// Wraps the trait object so that it can be passed where a visitor is expected.
struct Visiting<'a>(&'a mut dyn ErasedVisitor);

/// Wraps the trait object so that it can be passed where a mapper is expected.
struct Mapping<'a>(&'a mut dyn ErasedMapper);

trait ErasedVisitor {
    fn float(&mut self, rank: usize, param: &dyn Any);
    fn int(&mut self, rank: usize, param: &dyn Any);
    fn bool(&mut self, rank: usize, param: &dyn Any);
    fn flag(&mut self, flag: &Param<Flag>);
    fn enter(&mut self, name: &str, container: &str);
    fn exit(&mut self, name: &str, container: &str);
}

trait ErasedMapper {
    /// Takes the parameter out of the `Option<Param<_>>` in `slot` and puts its successor in.
    fn float(&mut self, rank: usize, slot: &mut dyn Any);
    fn int(&mut self, rank: usize, slot: &mut dyn Any);
    fn bool(&mut self, rank: usize, slot: &mut dyn Any);
    fn flag(&mut self, flag: Param<Flag>) -> Param<Flag>;
    fn enter(&mut self, name: &str, container: &str);
    fn exit(&mut self, name: &str, container: &str);
}

/// Runs `$body` with `$rank` as the constant `D`. Tensors of other ranks do not exist in Burn's
/// layers; they are left alone.
macro_rules! with_rank {
    ($rank:expr, $body:expr) => {
        with_rank!(@ $rank, $body, 0 1 2 3 4 5 6 7 8)
    };
    (@ $rank:expr, $body:expr, $($n:literal)*) => {
        match $rank {
            $($n => { const D: usize = $n; $body })*
            _ => {}
        }
    };
}

fn replace<P: 'static>(slot: &mut dyn Any, successor: impl FnOnce(P) -> P) {
    if let Some(slot) = slot.downcast_mut::<Option<P>>() {
        *slot = slot.take().map(successor);
    }
}

impl<V: ModuleVisitor> ErasedVisitor for Erase<'_, V> {
    fn float(&mut self, rank: usize, param: &dyn Any) {
        with_rank!(
            rank,
            if let Some(param) = param.downcast_ref() {
                self.0.visit_float::<D>(param);
            }
        );
    }
    fn int(&mut self, rank: usize, param: &dyn Any) {
        with_rank!(
            rank,
            if let Some(param) = param.downcast_ref() {
                self.0.visit_int::<D>(param);
            }
        );
    }
    fn bool(&mut self, rank: usize, param: &dyn Any) {
        with_rank!(
            rank,
            if let Some(param) = param.downcast_ref() {
                self.0.visit_bool::<D>(param);
            }
        );
    }
    fn flag(&mut self, flag: &Param<Flag>) {
        self.0.visit_flag(flag);
    }
    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }
    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}

impl ModuleVisitor for Visiting<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.float(D, param);
    }
    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.0.int(D, param);
    }
    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.0.bool(D, param);
    }
    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.flag(flag);
    }
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }
    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}

impl<M: ModuleMapper> ErasedMapper for Erase<'_, M> {
    fn float(&mut self, rank: usize, slot: &mut dyn Any) {
        with_rank!(rank, replace::<Param<Tensor<D>>>(slot, |param| self.0.map_float(param)));
    }
    fn int(&mut self, rank: usize, slot: &mut dyn Any) {
        with_rank!(rank, replace::<Param<Tensor<D, Int>>>(slot, |param| self.0.map_int(param)));
    }
    fn bool(&mut self, rank: usize, slot: &mut dyn Any) {
        with_rank!(rank, replace::<Param<Tensor<D, Bool>>>(slot, |param| self.0.map_bool(param)));
    }
    fn flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.map_flag(flag)
    }
    fn enter(&mut self, name: &str, container: &str) {
        self.0.enter_module(name, container);
    }
    fn exit(&mut self, name: &str, container: &str) {
        self.0.exit_module(name, container);
    }
}

/// Passes a parameter through a slot, without a second handle to it: optimisers work in place on
/// tensors that nobody else holds.
macro_rules! through_slot {
    ($self:ident.$method:ident, $param:expr) => {{
        let mut slot = Some($param);
        $self.0.$method(D, &mut slot);
        let Some(param) = slot else { unreachable!("`replace` refills the slot it empties") };
        param
    }};
}

impl ModuleMapper for Mapping<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        through_slot!(self.float, param)
    }
    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        through_slot!(self.int, param)
    }
    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        through_slot!(self.bool, param)
    }
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.flag(flag)
    }
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }
    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}
