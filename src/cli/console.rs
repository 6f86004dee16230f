//! Standard error: who writes to it, and in which form.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;

use connect_build::progress::Reporter;
use connect_build::report::{Bars, Lines};
use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::{LogArguments, LogFormat};

/// How the run is shown.
pub(super) struct Console {
    /// Hears of everything that happens.
    pub(super) reporter: Arc<dyn Reporter>,
    /// Everything is JSON, also the error.
    pub(super) json: bool,
    /// No table at the end.
    pub(super) quiet: bool,
}

impl Console {
    /// Sets the process's log up. Only this program's own events are shown: those of libraries may hold headers.
    pub(super) fn start(arguments: &LogArguments) -> Self {
        let level = match (arguments.quiet, arguments.verbose) {
            (true, _) => LevelFilter::WARN,
            (_, true) => LevelFilter::DEBUG,
            _ => LevelFilter::INFO,
        };
        let ours = Targets::new().with_target("connect_build", level);
        let registry = tracing_subscriber::registry().with(ours);
        let json = arguments.log_format == LogFormat::Json;
        let bars = arguments.log_format == LogFormat::Auto && io::stderr().is_terminal() && !arguments.quiet;
        let layer = tracing_subscriber::fmt::layer();
        let plain = Plain { timestamps: arguments.log_timestamps };
        // A second subscriber in one process would be a defect of this program; the first one stays then.
        let reporter: Arc<dyn Reporter> = if bars {
            let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let _ = registry.with(layer.event_format(plain).with_writer(Screen(screen.clone()))).try_init();
            Arc::new(Bars::new(screen))
        } else if json {
            let layer = layer.json().flatten_event(true).with_current_span(false).with_target(false);
            let _ = registry.with(layer.with_writer(io::stderr)).try_init();
            Arc::new(Lines::default())
        } else {
            let _ = registry.with(layer.event_format(plain).with_writer(io::stderr)).try_init();
            Arc::new(Lines::default())
        };
        Self { reporter, json, quiet: arguments.quiet }
    }
}

/// A line is its message; what is not of the ordinary level says so.
struct Plain {
    timestamps: bool,
}

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG | Level::TRACE => "debug: ",
        };
        if self.timestamps {
            SystemTime.format_time(&mut writer)?;
            writer.write_char(' ')?;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        writeln!(writer, "{level}{}", connect_build::path::plain(&message.0))
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Lines between the bars.
#[derive(Clone)]
struct Screen(MultiProgress);

impl<'a> MakeWriter<'a> for Screen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.println(String::from_utf8_lossy(bytes).trim_end())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
