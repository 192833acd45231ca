//! Help texts, one per command.

pub(super) const MAIN: &str = "\
parc-agent: reports this workstation's hardware, software and asset tag to a Parc collector

Usage: parc-agent [OPTIONS] COMMAND

Commands:
  enroll      give this machine an identity, with a token from an administrator
  run         report for as long as the machine is on (the service)
  report      report once, now
  show        print exactly what would leave this machine; sends nothing
  status      print how this machine stands with its collector
  tag         print or set the asset tag of this machine
  ticket      open a ticket for this machine, or print the address of the form
  seal-image  forget identity and state, before this disk is cloned

Options:
  --config FILE  settings (default /etc/parc/agent.toml; see deploy/examples/agent.toml)
  --root DIR     read the machine from a captured file tree instead of the running system
  --state DIR    folder of identity and state (default /var/lib/parc-agent)
  -h, --help     help; `parc-agent COMMAND --help` for one command
  -V, --version  version

Exit codes:
  0  done; for `report`: the collector has the report on its disk
  1  failed on this machine: a file, the settings, missing rights
  2  the command line is wrong
  3  this machine is not enrolled, or its identity belongs to another machine
  4  no answer for now: the collector is away or busy; trying again later helps
  5  the collector, or its certificate, was refused, or it refuses or holds what was sent
";

pub(super) const ENROLL: &str = "\
Gives this machine an identity: makes a private key that never leaves it, and has the collector
certify it. The token also says which collector to trust, so nothing has to be believed.

Usage: parc-agent enroll --collector URL --token TOKEN [--tag TAG] [--replace]

  --collector URL    https://host:port; may stand in the configuration instead
  --token TOKEN      enroll token, parc1.…
  --token-file FILE  file that holds the token, so that it is not seen in the list of processes;
                     `-` reads standard input
  --tag TAG          asset tag of this machine, as with `parc-agent tag`
  --replace          give up an identity that this machine has already

An answer that was lost does no harm: the same command asks for the same identity again.
";

pub(super) const RUN: &str = "\
Reports for as long as the machine is on: the first time within 15 minutes at random, then when the
collector says. Opens no port. Ends cleanly on SIGTERM and SIGINT and may be killed at any moment.

Usage: parc-agent run

Refuses to start when its program, settings or state folder can be written by other accounts. CPU and
disk priority are set by the service manager: see deploy/systemd/parc-agent.service.
";

pub(super) const REPORT: &str = "\
Reports once, now. Only what has changed since the last acknowledged report is sent.

Usage: parc-agent report [--json]

  --json  outcome, bytes and sections as JSON

Exit code 0 only if the collector has the report on its disk.
";

pub(super) const SHOW: &str = "\
Prints exactly what would leave this machine with the next contact. Sends nothing, changes nothing.

Usage: parc-agent show [--json]

  --json  the complete contact: header, digests, changes and every item decoded
";

pub(super) const STATUS: &str = "\
Prints how this machine stands with its collector: tag, organisation, last and next contact,
certificate, and what could not be read.

Usage: parc-agent status
";

pub(super) const TAG: &str = "\
Prints the asset tag of this machine and where it comes from, or sets it. Sources in order: this
command, `tag` in the configuration, the firmware's chassis asset tag. At most 25 characters; factory
placeholders are refused.

Usage: parc-agent tag [TAG | --clear]

  --clear  forget the tag that was set with this command
";

pub(super) const TICKET: &str = "\
Prints a signed address of the portal with this machine filled in. With --summary and --requester it
opens the ticket directly.

Usage: parc-agent ticket [--summary TEXT --requester MAIL [--description TEXT] [--phone TEXT]
                          [--inventory-number TAG]]

  --summary TEXT          what is wrong, one line of at most 200 characters
  --requester MAIL        e-mail address of a person of the organisation
  --description TEXT      more, at most 20,000 characters
  --phone TEXT            where to call back
  --inventory-number TAG  another machine than this one
";

pub(super) const SEAL_IMAGE: &str = "\
Forgets identity, tag and state, so that this disk can be cloned. Each clone then needs a token. The
configuration file is not touched: take a `tag` out of it yourself.

Usage: parc-agent seal-image
";
