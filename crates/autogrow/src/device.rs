//! `run.device`: which of the backends that are built in computes.

use autogrow_core::{Error, Result};
use burn::tensor::{Device, Tensor};
use std::collections::BTreeSet;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Separates the devices of a list.
const SEPARATOR: char = ',';

/// A backend: its name, which is that of the cargo feature that builds it in, and where it is built in,
/// how to open devices of it.
struct Backend {
    name: &'static str,
    /// That of a number.
    open: Option<fn(usize) -> Device>,
    /// Those that `auto` tries.
    auto: &'static [fn() -> Device],
}

impl Backend {
    #[allow(dead_code, reason = "a build with all backends lacks none")]
    const fn missing(name: &'static str) -> Self {
        Self { name, open: None, auto: &[] }
    }
}

/// All backends, in the order in which `auto` tries them.
fn backends() -> [Backend; 5] {
    [cuda(), vulkan(), wgpu(), flex(), ndarray()]
}

fn cuda() -> Backend {
    #[cfg(feature = "cuda")]
    {
        Backend { name: "cuda", open: Some(Device::cuda), auto: &[|| Device::cuda(0)] }
    }
    #[cfg(not(feature = "cuda"))]
    {
        Backend::missing("cuda")
    }
}

fn vulkan() -> Backend {
    // Pinned: `wgpu` goes over to OpenGL where there is no Vulkan driver.
    #[cfg(feature = "vulkan")]
    {
        use burn::tensor::DeviceKind::{DiscreteGpu, IntegratedGpu};
        let auto: &[fn() -> Device] =
            &[|| Device::vulkan(DiscreteGpu(0)), || Device::vulkan(IntegratedGpu(0))];
        Backend { name: "vulkan", open: Some(|number| Device::vulkan(kind(number))), auto }
    }
    #[cfg(not(feature = "vulkan"))]
    {
        Backend::missing("vulkan")
    }
}

fn wgpu() -> Backend {
    #[cfg(feature = "wgpu")]
    {
        use burn::tensor::DeviceKind::{DiscreteGpu, IntegratedGpu};
        let auto: &[fn() -> Device] =
            &[|| Device::wgpu(DiscreteGpu(0)), || Device::wgpu(IntegratedGpu(0))];
        Backend { name: "wgpu", open: Some(|number| Device::wgpu(kind(number))), auto }
    }
    #[cfg(not(feature = "wgpu"))]
    {
        Backend::missing("wgpu")
    }
}

/// The best adapter for 0, which may be a software one; the graphics card of that number for others.
#[cfg(any(feature = "vulkan", feature = "wgpu"))]
fn kind(number: usize) -> burn::tensor::DeviceKind {
    match number {
        0 => burn::tensor::DeviceKind::DefaultDevice,
        number => burn::tensor::DeviceKind::DiscreteGpu(number),
    }
}

fn flex() -> Backend {
    #[cfg(feature = "flex")]
    {
        Backend { name: "flex", open: Some(|_| Device::flex()), auto: &[Device::flex] }
    }
    #[cfg(not(feature = "flex"))]
    {
        Backend::missing("flex")
    }
}

fn ndarray() -> Backend {
    #[cfg(feature = "ndarray")]
    {
        #[expect(deprecated, reason = "kept as a second opinion")]
        fn device() -> Device {
            Device::ndarray()
        }
        Backend { name: "ndarray", open: Some(|_| device()), auto: &[device] }
    }
    #[cfg(not(feature = "ndarray"))]
    {
        Backend::missing("ndarray")
    }
}

/// How many devices `names` lists.
pub fn count(names: &str) -> usize {
    names.split(SEPARATOR).count()
}

/// Opens the device of a rank: of a list such as `cuda:0,cuda:1`, each has one in turn.
///
/// # Errors
/// As [`open`].
pub fn of_rank(names: &str, rank: usize) -> Result<Device> {
    let mut names = names.split(SEPARATOR).cycle().skip(rank % count(names));
    open(names.next().unwrap_or_default().trim())
}

/// The devices of a list, in its order, if their backend has an all-reduce: different ones, all of
/// CUDA.
///
/// # Errors
/// As [`open`].
pub fn with_all_reduce(names: &str) -> Result<Option<Vec<Device>>> {
    let names: Vec<_> = names.split(SEPARATOR).map(str::trim).collect();
    let number = |name: &&str| match name.split_once(':') {
        None if *name == "cuda" => Some("0".into()),
        Some(("cuda", number)) => Some(number.to_owned()),
        _ => None,
    };
    let numbers: Option<BTreeSet<String>> = names.iter().map(number).collect();
    if numbers.is_none_or(|numbers| numbers.len() < names.len()) {
        return Ok(None);
    }
    names.into_iter().map(open).collect::<Result<_>>().map(Some)
}

/// Opens the device called `name`: `auto`, a backend, or a backend and a number as in `cuda:0`.
///
/// # Errors
/// [`Error::Unknown`] where there is no such backend, [`Error::Device`] where it is not built in
/// or its hardware is not there.
pub fn open(name: &str) -> Result<Device> {
    let backends = backends();
    if name == "auto" {
        let mut tried = backends.iter().flat_map(|backend| backend.auto);
        return tried.find_map(|open| probe(open).ok()).ok_or_else(|| Error::Device {
            device: name.into(),
            problem: "no backend is built in that works here".into(),
            origin: None,
            hint: Some("build with --features flex".into()),
        });
    }
    let (backend_name, index) = match name.split_once(':') {
        Some((backend, index)) => (backend, index.parse().ok()),
        None => (name, Some(0)),
    };
    let backend = backends.iter().find(|backend| backend.name == backend_name);
    let (Some(backend), Some(index)) = (backend, index) else {
        let names = backends.iter().map(|backend| backend.name.to_string());
        let known = std::iter::once("auto".to_string()).chain(names);
        return Err(Error::unknown("device", "run.device", name, known));
    };
    let Some(open) = backend.open else {
        return Err(Error::Device {
            device: name.into(),
            problem: "this backend is not built in".into(),
            origin: None,
            hint: Some(format!("build with --features {}", backend.name)),
        });
    };
    probe(|| open(index)).map_err(|problem| Error::Device {
        device: name.into(),
        problem,
        origin: None,
        hint: Some("`autogrow list devices` shows what works here".into()),
    })
}

/// Names of the backends that are built in.
pub fn built_in() -> Vec<&'static str> {
    let built_in = backends().into_iter().filter(|backend| backend.open.is_some());
    built_in.map(|backend| backend.name).collect()
}

/// Every backend, and whether it works here: name, `ready` or what is missing.
pub fn states() -> Vec<(&'static str, String)> {
    let state = |backend: Backend| match backend.open {
        Some(open) => probe(|| open(0)).map_or_else(|problem| problem, |_| "ready".into()),
        None => format!("not built in (--features {})", backend.name),
    };
    backends().map(|backend| (backend.name, state(backend))).into()
}

/// Opens a device and computes something on it. Backends panic where their hardware or their
/// libraries are missing; that is no bug of ours and is turned into an error.
fn probe(open: impl FnOnce() -> Device + std::panic::UnwindSafe) -> Result<Device, String> {
    let silence = Silence::begin();
    let opened = std::panic::catch_unwind(|| {
        let device = open();
        let sum: f32 = Tensor::<1>::ones([2], &device).sum().into_scalar();
        (device, sum)
    });
    drop(silence);
    match opened {
        Ok((device, 2.0)) => Ok(device),
        Ok(_) => Err("it computes wrong results".into()),
        Err(_) => Err("it is not there, or its driver is not".into()),
    }
}

/// What prints panics.
type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// As long as it exists, panics of the process print nothing: those of backends are caught and told as
/// errors.
pub struct Silence {
    hook: Option<Hook>,
    /// The hook is that of the whole process, and ranks open their devices at the same time.
    _alone: MutexGuard<'static, ()>,
}

impl Silence {
    /// From now on.
    pub fn begin() -> Self {
        static HOOK: Mutex<()> = Mutex::new(());
        let alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        Self { hook: Some(hook), _alone: alone }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A thread that panics may not set the hook; the process is about to end.
        if let Some(hook) = self.hook.take()
            && !std::thread::panicking()
        {
            std::panic::set_hook(hook);
        }
    }
}
