"""The classes that stand in test plans: JMeter's own, and the plugins that bring others."""

from collections.abc import Iterable, Mapping
from typing import Final

_OWN: Final = "org.apache.jmeter."

# What JMeter 5.5 can load from a plan, by package below org.apache.jmeter.
_PACKAGES: Final[Mapping[str, str]] = {
    "assertions": "BSFAssertion BeanShellAssertion CompareAssertion DurationAssertion HTMLAssertion JSONPathAssertion "
    "JSR223Assertion MD5HexAssertion ResponseAssertion SMIMEAssertionTestElement SizeAssertion SubstitutionElement "
    "XMLAssertion XMLSchemaAssertion XPath2Assertion XPathAssertion",
    "assertions.jmespath": "JMESPathAssertion",
    "config": "Argument Arguments CSVDataSet ConfigTestElement KeystoreConfig LoginConfig RandomVariableConfig",
    "control": "CriticalSectionController ForeachController GenericController IfController IncludeController "
    "InterleaveControl LoopController ModuleController OnceOnlyController RandomController RandomOrderController "
    "RunTime SwitchController TestFragmentController ThroughputController TransactionController TransactionSampler "
    "WhileController",
    "extractor": "BSFPostProcessor BeanShellPostProcessor BoundaryExtractor DebugPostProcessor HtmlExtractor "
    "JSR223PostProcessor RegexExtractor XPath2Extractor XPathExtractor",
    "extractor.json.jmespath": "JMESPathExtractor",
    "extractor.json.jsonpath": "JSONPostProcessor",
    "modifiers": "BSFPreProcessor BeanShellPreProcessor CounterConfig JSR223PreProcessor SampleTimeout UserParameters",
    "protocol.bolt.config": "BoltConnectionElement",
    "protocol.bolt.sampler": "BoltSampler",
    "protocol.ftp.sampler": "FTPSampler",
    "protocol.http.control": "AuthManager Authorization CacheManager Cookie CookieManager DNSCacheManager Header "
    "HeaderManager HttpMirrorControl RecordingController StaticHost",
    "protocol.http.modifier": "AnchorModifier ParamMask ParamModifier RegExUserParameters URLRewritingModifier "
    "UserParameterModifier",
    "protocol.http.proxy": "ProxyControl",
    "protocol.http.sampler": "AccessLogSampler AjpSampler HTTPSampler HTTPSampler2 HTTPSamplerProxy SoapSampler "
    "WebServiceSampler",
    "protocol.http.util": "HTTPArgument HTTPFileArg HTTPFileArgs",
    "protocol.java.config": "JavaConfig",
    "protocol.java.sampler": "BSFSampler BeanShellSampler JSR223Sampler JUnitSampler JavaSampler",
    "protocol.jdbc.config": "DataSourceElement",
    "protocol.jdbc.processor": "JDBCPostProcessor JDBCPreProcessor",
    "protocol.jdbc.sampler": "JDBCSampler",
    "protocol.jms.sampler": "JMSProperties JMSProperty JMSSampler PublisherSampler SubscriberSampler",
    "protocol.ldap.config.gui": "LDAPArgument LDAPArguments",
    "protocol.ldap.sampler": "LDAPExtSampler LDAPSampler",
    "protocol.mail.sampler": "MailReaderSampler",
    "protocol.mongodb.config": "MongoSourceElement",
    "protocol.mongodb.sampler": "MongoScriptSampler",
    "protocol.smtp.sampler": "SmtpSampler",
    "protocol.system": "SystemSampler",
    "protocol.tcp.sampler": "TCPSampler",
    "reporters": "MailerModel MailerResultCollector ResultAction ResultCollector ResultSaver Summariser",
    "sampler": "DebugSampler TestAction",
    "samplers": "SampleSaveConfiguration",
    "testelement": "TestPlan WorkBench",
    "threads": "PostThreadGroup ReflectionThreadGroup SetupThreadGroup ThreadGroup",
    "threads.openmodel": "OpenModelThreadGroup OpenModelThreadGroupController",
    "timers": "BSFTimer BeanShellTimer ConstantThroughputTimer ConstantTimer GaussianRandomTimer JSR223Timer "
    "PoissonRandomTimer SyncTimer UniformRandomTimer",
    "timers.poissonarrivals": "PreciseThroughputTimer",
    "visualizers": "AssertionVisualizer BSFListener BeanShellListener ComparisonVisualizer GraphVisualizer "
    "JSR223Listener MailerVisualizer RespTimeGraphVisualizer SimpleDataWriter StatGraphVisualizer StatVisualizer "
    "SummaryReport TableVisualizer ViewResultsFullVisualizer",
    "visualizers.backend": "BackendListener",
}
# Names in plans that are not the names of their classes.
_ALIASES: Final[Mapping[str, str]] = {
    "HTTPSampler": "HTTPSamplerProxy",
    "HTTPSampler2": "HTTPSamplerProxy",
    "HTTPSampler_": "HTTPSampler",
    "HTTPSampler2_": "HTTPSampler2",
    "HttpTestSampleGui2": "HttpTestSampleGui",
    "JDBCDataSource": "DataSourceElement",
    "SMIMEAssertion": "SMIMEAssertionTestElement",
}
CORE: Final[Mapping[str, str]] = {
    name: f"{_OWN}{package}.{name}" for package, names in _PACKAGES.items() for name in names.split()
}
# Classes that JMeter itself brings in a part that an installation may lack.
_PARTS: Final[Mapping[str, str]] = {
    "protocol.ftp": "jmeter-ftp",
    "protocol.jdbc": "jmeter-jdbc",
    "protocol.jms": "jmeter-jms",
    "protocol.ldap": "jmeter-ldap",
    "protocol.mail": "jmeter-mail",
    "protocol.smtp": "jmeter-mail",
    "protocol.mongodb": "jmeter-mongodb",
    "protocol.system": "jmeter-native",
    "protocol.tcp": "jmeter-tcp",
    "protocol.java.sampler.JUnitSampler": "jmeter-junit",
}
# Plugins as the Plugins Manager names them, by the beginning of the classes that they bring; the longest wins.
_PLUGINS: Final[Mapping[str, str]] = {
    **{f"{_OWN}{part}": plugin for part, plugin in _PARTS.items()},
    "kg.apc.jmeter.threads.": "jpgc-casutg",
    "com.blazemeter.jmeter.threads.": "jpgc-casutg",
    "com.blazemeter.jmeter.control.VirtualUserController": "jpgc-casutg",
    "kg.apc.jmeter.timers.VariableThroughputTimer": "jpgc-tst",
    "kg.apc.jmeter.dummy.": "jpgc-dummy",
    "kg.apc.jmeter.samplers.DummySampler": "jpgc-dummy",
    "kg.apc.jmeter.modifiers.DummySubPostProcessor": "jpgc-dummy",
    "com.blazemeter.jmeter.control.WeightedSwitchController": "jpgc-wsc",
    "com.blazemeter.jmeter.RandomCSVDataSetConfig": "bzm-random-csv",
    "com.blazemeter.jmeter.DirectoryListingConfig": "jpgc-directory-listing",
    "com.blazemeter.jmeter.RotatingResultCollector": "jpgc-rotating-listener",
    "com.blazemeter.jmeter.controller.": "bzm-parallel",
    "com.blazemeter.jmeter.http.Parallel": "bzm-parallel",
    "com.blazemeter.jmeter.http2.": "bzm-http2",
    "com.blazemeter.jmeter.hls.": "bzm-hls",
    "kg.apc.jmeter.perfmon.": "jpgc-perfmon",
    "kg.apc.jmeter.reporters.LoadosophiaUploader": "jpgc-sense",
    "kg.apc.jmeter.reporters.bzm.": "jpgc-sense",
    "kg.apc.jmeter.reporters.AutoStop": "jpgc-autostop",
    "kg.apc.jmeter.reporters.ConsoleStatusLogger": "jpgc-csl",
    "kg.apc.jmeter.reporters.FlexibleFileWriter": "jpgc-ffw",
    "kg.apc.jmeter.config.redis.": "jpgc-redis",
    "kg.apc.jmeter.samplers.UDPSampler": "jpgc-udp",
    "kg.apc.jmeter.jmxmon.": "jpgc-jmxmon",
    "kg.apc.jmeter.dbmon.": "jpgc-dbmon",
    "kg.apc.jmeter.control.ParameterizedController": "jpgc-prmctl",
    "kg.apc.jmeter.control.sampler.SetVariablesAction": "jpgc-prmctl",
    "com.atlantbh.jmeter.plugins.jsonutils.": "jpgc-json",
    "com.googlecode.jmeter.plugins.webdriver.": "jpgc-webdriver",
    "eu.luminis.jmeter.wssampler.": "websocket-samplers",
}


def short_name(name: str) -> str:
    """What a class is called here: JMeter's own by their last word, others in full."""
    if name.startswith(_OWN):
        return name.rpartition(".")[2]
    return _ALIASES.get(name, name)


def full_name(name: str) -> str:
    """The class that JMeter loads for a name in a plan."""
    return name if "." in name else CORE.get(_ALIASES.get(name, name), name)


def missing_classes(wanted: Iterable[str], available: frozenset[str] | None) -> list[str]:
    """Classes that an installation does not have; without one to look at, those that are not JMeter's own."""
    present = frozenset(CORE.values()) if available is None else available
    return sorted({name for name in wanted if name not in present})


def plugin_of(class_name: str) -> str | None:
    """The plugin that brings a class, as the Plugins Manager calls it."""
    matching = [prefix for prefix in _PLUGINS if class_name.startswith(prefix)]
    return _PLUGINS[max(matching, key=len)] if matching else None


def install_command(classes: Iterable[str]) -> str:
    """The command that installs what a plan lacks."""
    plugins = sorted({plugin for name in classes if (plugin := plugin_of(name))})
    return f"PluginsManagerCMD.sh install {','.join(plugins)}" if plugins else ""
