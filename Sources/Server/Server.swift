public enum ServerVersion {}
