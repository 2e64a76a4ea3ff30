//! A notice as Amazon Q Developer in chat applications, once AWS Chatbot, shows it
//! (docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html). It drops what has another
//! form without a trace.

use serde_json::{Value, json};

use super::{Notice, Occasion};

impl Notice {
    /// The custom notification. Those of one execution are one thread, where the channel has
    /// threads.
    pub(super) fn chat(&self) -> Value {
        let release = &self.release;
        let title = shown(&self.title());
        let steps = self.commands().into_iter().map(|it| format!("`{it}`"));
        json!({
            "version": "1.0",
            "source": "custom",
            "id": self.key(),
            "content": {
                "textType": "client-markdown",
                "title": title,
                "description": shown(&self.lines().join("\n")),
                "nextSteps": steps.collect::<Vec<_>>(),
                "keywords": [release.pipeline, self.kind()],
            },
            "metadata": {
                "threadId": release.execution,
                "summary": title,
                "eventType": self.chat_type(),
                "additionalContext": {
                    "pipeline": release.pipeline,
                    "execution": release.execution,
                    "service": release.name(),
                },
            },
        })
    }

    /// By which buttons of a channel are attached: letters, digits and dashes.
    fn chat_type(&self) -> &'static str {
        match self.occasion {
            Occasion::Started => "slipway-started",
            Occasion::Hold(_) => "slipway-hold",
            Occasion::Approval { .. } => "slipway-approval",
            Occasion::Ended(_) => "slipway-outcome",
            Occasion::Drift { .. } => "slipway-drift",
        }
    }
}

/// A text in which nothing is a mention or a link: a reason may quote the output of a container.
fn shown(text: &str) -> String {
    text.replace('<', "‹")
        .replace('>', "›")
        .replace('@', "@\u{200b}")
}
